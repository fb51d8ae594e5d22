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

@description('Whether the API can be called from outside that network.')
param isPublic bool

@description('IPv4 ranges that may call the API; empty: all.')
param allowedAddresses string[]

@description('IPv4 ranges that may deploy code; empty: all.')
param deploymentAddresses string[]

@description('Whether instances are spread over the zones of the region.')
param zoneRedundant bool

@description('Action group that hears of alerts.')
param actionGroupId string

param maximumInstanceCount int
param instanceMemoryMB int

@description('Entra application that guards the API; empty: Functions keys do.')
param authClientId string

param keyVaultUrl string
param customerInsightsBlobUri string
param customerInsightsPath string
param autopilotUrl string

@description('In place of the roots of all regions; empty: those.')
param orttoUrl string

param exportSchedule string
param supervisionSchedule string
param historyDays int
param rejectedDays int

@description('Whether runs\' ends are told to a webhook, whose address is the secret notify-url.')
param notifies bool

@description('Settings that have a default of the app\'s own, and are to have another value.')
param moreSettings { *: string }

@description('Address of a package that is deployed; empty: somebody else deploys the code.')
param packageUri string

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
  ORTTO_URL: orttoUrl
  EXPORT_SCHEDULE: exportSchedule
  SUPERVISION_SCHEDULE: supervisionSchedule
  AUTH_MODE: empty(authClientId) ? 'keys' : 'entra'
  HISTORY_DAYS: string(historyDays)
  REJECTED_DAYS: string(rejectedDays)
  NOTIFY_URL: notifies ? '@Microsoft.KeyVault(SecretUri=${keyVaultUrl}secrets/notify-url)' : ''
}

// A list that is empty lets everybody in; one that is not lets in nobody else.
var restrictions = map(
  [allowedAddresses, deploymentAddresses],
  ranges =>
    map(
      range(0, length(ranges)),
      i => { name: 'allowed-${i}', priority: 100 + i, action: 'Allow', ipAddress: ranges[i] }
    )
)
var otherwise = map(restrictions, allowed => empty(allowed) ? 'Allow' : 'Deny')

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: 'plan-${suffix}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true, zoneRedundant: zoneRedundant }
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
    keyVaultReferenceIdentity: identityId
    publicNetworkAccess: isPublic ? 'Enabled' : 'Disabled'
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      ipSecurityRestrictions: restrictions[0]
      ipSecurityRestrictionsDefaultAction: otherwise[0]
      scmIpSecurityRestrictions: restrictions[1]
      scmIpSecurityRestrictionsDefaultAction: otherwise[1]
      scmIpSecurityRestrictionsUseMain: false
    }
  }
}

// Deployment is by Entra identities only: no passwords for FTP or for the deployment site.
resource ftp 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'ftp'
  // The type lacks it; without it the service has answered "The parameter location has an invalid value" (Azure/bicep#7396).
  #disable-next-line BCP187
  location: location
  properties: { allow: false }
}

resource scm 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'scm'
  // As above.
  #disable-next-line BCP187
  location: location
  properties: { allow: false }
}

module authentication 'authentication.bicep' = if (!empty(authClientId)) {
  params: { appName: app.name, clientId: authClientId }
}

// After authentication: with AUTH_MODE entra the app believes the principal that only authentication may name.
resource appSettings 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: app
  name: 'appsettings'
  properties: union(settings, moreSettings)
  dependsOn: [authentication]
}

// After the settings, with which the code starts.
resource package 'Microsoft.Web/sites/extensions@2025-03-01' = if (!empty(packageUri)) {
  parent: app
  name: 'onedeploy'
  // The type knows MSDeploy only; OneDeploy is what Flex Consumption takes.
  #disable-next-line BCP187
  properties: { packageUri: packageUri, remoteBuild: false }
  dependsOn: [appSettings]
}

resource failing 'Microsoft.Insights/metricAlerts@2026-01-01' = {
  name: 'http-5xx'
  location: 'global'
  tags: tags
  properties: {
    description: 'What to do: docs/operate.md, http-5xx'
    severity: 2
    enabled: true
    scopes: [app.id]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'answers'
          metricName: 'Http5xx'
          timeAggregation: 'Total'
          operator: 'GreaterThan'
          threshold: 5
        }
      ]
    }
    actions: [{ actionGroupId: actionGroupId }]
  }
}

output name string = app.name
output apiUrl string = 'https://${app.properties.defaultHostName}/api'
