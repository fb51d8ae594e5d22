// The function app on Flex Consumption, and every setting that it reads (docs/settings.md).
import { endpointsOfStorage, tagsByName } from '../types.bicep'

param suffix string
param location string
param tags tagsByName

@description('The app\'s identity.')
param identityId string
param identityClientId string

@description('Endpoints of the app\'s own storage account, and the container of its package.')
param storageEndpoints endpointsOfStorage
param deploymentContainer string

@description('Connection string of Application Insights: an address, no secret.')
param insightsConnection string

@description('Subnet that the app joins; empty: none.')
param subnetId string

param maximumInstanceCount int
param instanceMemoryMB int

@description('Entra application that guards the API; empty: Functions keys do.')
param authClientId string

param keyVaultUrl string
param customerInsightsBlobUri string
param customerInsightsPath string
param autopilotUrl string
param exportSchedule string
param supervisionSchedule string
param historyDays int
param rejectedDays int

@secure()
param notifyUrl string

// SETTLE_SECONDS, OUTAGE_MINUTES and GRACE_SECONDS are left to the app's defaults.
var settings = {
  AzureWebJobsStorage__blobServiceUri: storageEndpoints.blob
  AzureWebJobsStorage__queueServiceUri: storageEndpoints.queue
  AzureWebJobsStorage__tableServiceUri: storageEndpoints.table
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnection
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  PYTHON_ENABLE_OPENTELEMETRY: 'true'
  OTEL_SERVICE_NAME: 'func-${suffix}'
  PYTHON_THREADPOOL_THREAD_COUNT: '40'
  CustomerInsightsStorage__blobServiceUri: customerInsightsBlobUri
  CustomerInsightsStorage__clientId: identityClientId
  CUSTOMER_INSIGHTS_PATH: customerInsightsPath
  KEY_VAULT_URL: keyVaultUrl
  AUTOPILOT_URL: autopilotUrl
  EXPORT_SCHEDULE: exportSchedule
  SUPERVISION_SCHEDULE: supervisionSchedule
  AUTH_MODE: empty(authClientId) ? 'keys' : 'entra'
  HISTORY_DAYS: string(historyDays)
  REJECTED_DAYS: string(rejectedDays)
  NOTIFY_URL: notifyUrl
}

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: 'plan-${suffix}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: 'func-${suffix}'
  location: location
  tags: union(tags, { 'azd-service-name': 'exports' })
  kind: 'functionapp,linux'
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identityId}': {} } }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    functionAppConfig: {
      runtime: { name: 'python', version: '3.13' }
      scaleAndConcurrency: { maximumInstanceCount: maximumInstanceCount, instanceMemoryMB: instanceMemoryMB }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${storageEndpoints.blob}${deploymentContainer}'
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identityId }
        }
      }
    }
    siteConfig: { minTlsVersion: '1.2' }
  }
}

// Deployment is by Entra identities only: no passwords for FTP or for the deployment site.
resource ftp 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'ftp'
  properties: { allow: false }
}

resource scm 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'scm'
  properties: { allow: false }
}

module authentication 'authentication.bicep' = if (!empty(authClientId)) {
  params: { appName: app.name, clientId: authClientId }
}

// After authentication: with AUTH_MODE entra the app believes the principal that only authentication may name.
resource appSettings 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: app
  name: 'appsettings'
  properties: settings
  dependsOn: [authentication]
}

output name string = app.name
output apiUrl string = 'https://${app.properties.defaultHostName}/api'
