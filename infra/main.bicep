// The function app and what it stands on, in a resource group of its own.
targetScope = 'subscription'

import {
  faultOfClientId
  faultOfEnvironment
  faultOfNetwork
  faultOfPath
  faultOfSchedule
  faultOfStorageId
  faultOfUrl
} from 'inputs.bicep'

@description('Name of the azd environment. Part of the resource group\'s name, and of what the unique suffix is made from.')
@minLength(1)
@maxLength(48)
param environmentName string

@description('Azure region; it must offer Flex Consumption with Python 3.13.')
@metadata({ azd: { type: 'location' } })
param location string

@description('Resource id of the storage account that Customer Insights\' Blob export writes to; any subscription of this tenant.')
param customerInsightsStorageId string

@description('Container and folder that hold model.json: container/folder.')
param customerInsightsPath string

@description('Whether the deployment gives the app its right to read that container. False: somebody else does (docs/deploy.md).')
param grantSourceAccess bool = true

@description('Application (client) id of the Entra application that guards the API. Empty: Functions keys guard it.')
param authClientId string = ''

@description('Webhook told of every run\'s end. Empty: none. Secure, because such URLs often carry a token.')
@secure()
param notifyUrl string = ''

@description('Root of Autopilot\'s API.')
param autopilotUrl string = 'https://api2.autopilothq.com/v1'

@description('NCRONTAB, in UTC, of the tick that looks for refreshed segments and due exports.')
param exportSchedule string = '0 */5 * * * *'

@description('NCRONTAB, in UTC, of the look for runs that dead processes left lying. Twice a minute resumes them within three minutes: a dead process may hold the timer for two of them.')
param supervisionSchedule string = '15,45 * * * * *'

@description('Days that the history of runs is kept.')
@minValue(1)
param historyDays int = 90

@description('Days that a rejected-rows file is kept; it names customers.')
@minValue(1)
param rejectedDays int = 30

@description('Whether the app stores keys that administrators enter. If somebody else keeps them in the vault, false lets it read only.')
param storesKeys bool = true

@description('Most instances of one function. Values below 40 are not accepted in every region; the app keeps its pace with any number.')
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('Memory of an instance, in MB.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048

@description('Most gigabytes of telemetry a day; what comes after is not kept.')
@minValue(1)
param telemetryGigabytesADay int = 1

@description('Address that alerts go to; empty: the portal only.')
param alertEmail string = ''

@description('Whether storage and vault are reachable through private endpoints only, from a virtual network that the app joins.')
param virtualNetwork bool = false

@description('With a virtual network: whether Customer Insights\' account too is reached through a private endpoint.')
param sourcePrivateEndpoint bool = false

@description('Private DNS zones of that network: create, none (a policy or somebody else makes the records), or the id of the resource group that holds them (hub and spoke).')
param privateDnsZones string = 'create'

var faults = filter(
  [
    faultOfEnvironment(environmentName)
    faultOfStorageId(customerInsightsStorageId)
    faultOfPath(customerInsightsPath)
    faultOfClientId(authClientId)
    faultOfUrl('autopilotUrl', autopilotUrl)
    faultOfSchedule('exportSchedule', exportSchedule)
    faultOfSchedule('supervisionSchedule', supervisionSchedule)
    faultOfNetwork(virtualNetwork, sourcePrivateEndpoint, privateDnsZones)
  ],
  fault => !empty(fault)
)

// Every name is made from this one, so that nothing is made if anything is wrong.
var accepted = empty(faults) ? environmentName : fail(join(faults, ' '))
var suffix = uniqueString(subscription().id, accepted, location)
var names = { storage: 'st${suffix}', vault: 'kv-${suffix}', insights: 'appi-${suffix}' }
var tags = { 'azd-env-name': accepted }
var usualSourceUri = 'https://${last(storageParts)}.blob.${environment().suffixes.storage}/'
var storageParts = split(customerInsightsStorageId, '/')
var source = {
  subscriptionId: storageParts[?2] ?? ''
  resourceGroup: storageParts[?4] ?? ''
  account: last(storageParts)
  container: split(customerInsightsPath, '/')[0]
}

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-${accepted}'
  location: location
  tags: tags
}

resource sourceAccount 'Microsoft.Storage/storageAccounts@2026-06-01' existing = if (grantSourceAccess) {
  scope: resourceGroup(source.subscriptionId, source.resourceGroup)
  name: source.account
}

module identity 'modules/identity.bicep' = {
  scope: group
  params: { name: 'id-${suffix}', location: location, tags: tags }
}

module monitoring 'modules/monitoring.bicep' = {
  scope: group
  params: {
    suffix: suffix
    insightsName: names.insights
    location: location
    tags: tags
    gigabytesADay: telemetryGigabytesADay
    alertEmail: alertEmail
  }
}

module storage 'modules/storage.bicep' = {
  scope: group
  params: {
    name: names.storage
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    rejectedDays: rejectedDays
    private: virtualNetwork
  }
}

module vault 'modules/vault.bicep' = {
  scope: group
  params: {
    name: names.vault
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    private: virtualNetwork
  }
}

// The one module that what-if cannot look into, and why: see there.
module rights 'modules/rights.bicep' = {
  scope: group
  dependsOn: [storage, vault, monitoring]
  params: {
    // Names of rights are made from it (modules/rights.bicep says why).
    #disable-next-line what-if-short-circuiting
    principalId: identity.outputs.principalId
    storageName: names.storage
    vaultName: names.vault
    insightsName: names.insights
    storesKeys: storesKeys
    source: grantSourceAccess ? source : null
  }
}

module network 'modules/network.bicep' = if (virtualNetwork) {
  scope: group
  params: {
    suffix: suffix
    location: location
    tags: tags
    storageId: storage.outputs.id
    vaultId: vault.outputs.id
    sourceId: sourcePrivateEndpoint ? customerInsightsStorageId : ''
    zones: privateDnsZones
  }
}

module app 'modules/app.bicep' = {
  scope: group
  dependsOn: [rights] // its package is behind them
  params: {
    suffix: suffix
    location: location
    tags: tags
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    storageEndpoints: storage.outputs.endpoints
    deploymentContainer: storage.outputs.deploymentContainer
    insightsConnection: monitoring.outputs.connection
    subnetId: virtualNetwork ? network!.outputs.appSubnetId : ''
    maximumInstanceCount: maximumInstanceCount
    instanceMemoryMB: instanceMemoryMB
    authClientId: authClientId
    keyVaultUrl: vault.outputs.url
    customerInsightsBlobUri: grantSourceAccess ? sourceAccount!.properties.primaryEndpoints.blob : usualSourceUri
    customerInsightsPath: customerInsightsPath
    autopilotUrl: autopilotUrl
    exportSchedule: exportSchedule
    supervisionSchedule: supervisionSchedule
    historyDays: historyDays
    rejectedDays: rejectedDays
    notifyUrl: notifyUrl
  }
}

output AZURE_RESOURCE_GROUP string = group.name
output FUNCTION_APP_NAME string = app.outputs.name
output API_URL string = app.outputs.apiUrl
output APP_PRINCIPAL_ID string = identity.outputs.principalId
output KEY_VAULT_URL string = vault.outputs.url
