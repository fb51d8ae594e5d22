// The function app and what it stands on, in a resource group of its own.
targetScope = 'subscription'

import {
  faultOfAddresses
  faultOfBudget
  faultOfCallers
  faultOfEnvironment
  faultOfNetworkAddresses
  faultOfPath
  faultOfSchedule
  faultOfSettings
  faultOfStorageId
  faultOfSwitch
  faultOfUrl
  faultOfZones
  listOf
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

@description('Address of that account\'s blobs, if it is not the usual one. infra/check.sh finds it out.')
param customerInsightsBlobUri string = ''

@description('Whether the deployment gives the app its right to read that container. False: infra/grant.sh or somebody else does (docs/deploy.md).')
param grantSourceAccess bool = true

@description('Application (client) id of the Entra application that guards the API (infra/register-application.sh makes it).')
param authClientId string = ''

@description('Functions keys guard the API instead of Entra: who has a key is an administrator, and nobody knows who. Only with allowedAddresses or apiPrivateEndpoint.')
param functionKeys bool = false

@description('IPv4 ranges that may call the API, with commas: 203.0.113.7/32,198.51.100.0/24. Empty: everybody, or with apiPrivateEndpoint nobody from the internet.')
param allowedAddresses string = ''

@description('IPv4 ranges that may deploy code, with commas. Empty: everybody with the right to.')
param deploymentAddresses string = ''

@description('Whether the app calls a webhook at every run\'s end. Its address is the secret notify-url in the vault, which must be there before.')
param notifies bool = false

@description('Root of Autopilot\'s API.')
param autopilotUrl string = 'https://api2.autopilothq.com/v1'

@description('Root of Ortto\'s API, in place of those of all its regions. Empty: those.')
param orttoUrl string = ''

@description('NCRONTAB, in UTC, of the tick that looks for refreshed segments and due exports.')
param exportSchedule string = '0 */5 * * * *'

@description('NCRONTAB, in UTC, of the look for runs that dead processes left lying. Twice a minute resumes them within three minutes: a dead process may hold the timer for two of them.')
param supervisionSchedule string = '15,45 * * * * *'

@description('Days that the history of runs is kept.')
@minValue(1)
@maxValue(3650)
param historyDays int = 90

@description('Days that a rejected-rows file is kept; it names customers.')
@minValue(1)
@maxValue(3650)
param rejectedDays int = 30

@description('App settings that have a default of the app\'s own, such as OUTAGE_MINUTES (docs/settings.md): a deployment replaces all settings, so one that was added by hand is gone with the next.')
param moreSettings { *: string } = {}

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

@description('IPv4 range of that network, a /25 or larger: /26 of it for the app, /27 for private endpoints.')
param virtualNetworkAddresses string = '10.84.0.0/24'

@description('With a virtual network: whether Customer Insights\' account too is reached through a private endpoint.')
param sourcePrivateEndpoint bool = false

@description('Private DNS zones of that network: create, none (a policy or somebody else makes the records), or the id of the resource group that holds them (hub and spoke).')
param privateDnsZones string = 'create'

@description('With a virtual network: whether the API is reached through a private endpoint.')
param apiPrivateEndpoint bool = false

@description('With a virtual network: whether telemetry goes through a private link (Azure Monitor Private Link Scope).')
param monitorPrivateLink bool = false

@description('Whether storage and app are spread over the zones of the region. To be chosen at the first deployment.')
param zoneRedundant bool = false

@description('Whether storage and vault are locked against deletion. The lock must be taken off before azd down.')
param deletionLock bool = false

@description('Whether the vault was deleted with an earlier deployment of this name and is to be recovered.')
param recoverVault bool = false

@description('Monthly budget of the resource group, in the currency of the subscription; alertEmail hears at 80% and 100%. 0: none.')
@minValue(0)
param monthlyBudget int = 0

@description('With a budget: the first day of the month in which it begins, 2026-12-01. It cannot be changed later.')
param budgetStart string = ''

@description('Address of a released package, segment-export.zip, that is deployed with the resources. Empty: azd or a workflow deploys the code.')
param packageUri string = ''

var faults = filter(
  [
    faultOfEnvironment(environmentName)
    faultOfStorageId(customerInsightsStorageId)
    faultOfPath(customerInsightsPath)
    empty(customerInsightsBlobUri) ? '' : faultOfUrl('customerInsightsBlobUri', customerInsightsBlobUri)
    faultOfCallers(authClientId, functionKeys, !empty(allowedAddresses) || apiPrivateEndpoint)
    faultOfAddresses('allowedAddresses', allowedAddresses)
    faultOfAddresses('deploymentAddresses', deploymentAddresses)
    faultOfUrl('autopilotUrl', autopilotUrl)
    empty(orttoUrl) ? '' : faultOfUrl('orttoUrl', orttoUrl)
    empty(packageUri) ? '' : faultOfUrl('packageUri', packageUri)
    faultOfSchedule('exportSchedule', exportSchedule)
    faultOfSchedule('supervisionSchedule', supervisionSchedule)
    faultOfSettings(moreSettings)
    faultOfSwitch('sourcePrivateEndpoint', sourcePrivateEndpoint, virtualNetwork)
    faultOfSwitch('apiPrivateEndpoint', apiPrivateEndpoint, virtualNetwork)
    faultOfSwitch('monitorPrivateLink', monitorPrivateLink, virtualNetwork)
    faultOfZones(privateDnsZones)
    faultOfNetworkAddresses(virtualNetworkAddresses)
    faultOfBudget(monthlyBudget, budgetStart, alertEmail)
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

var apiZones = apiPrivateEndpoint ? ['api'] : []
var zonesGroupId = privateDnsZones == 'create' ? group.id : privateDnsZones == 'none' ? '' : privateDnsZones
var storageId = '${group.id}/providers/Microsoft.Storage/storageAccounts/${names.storage}'

// The source and Azure Monitor share the zone of our own blobs.
var endpoints = concat(
  [
    { name: 'blob', group: 'blob', target: storageId, zones: ['blob'] }
    { name: 'queue', group: 'queue', target: storageId, zones: ['queue'] }
    { name: 'table', group: 'table', target: storageId, zones: ['table'] }
    {
      name: 'vault'
      group: 'vault'
      target: '${group.id}/providers/Microsoft.KeyVault/vaults/${names.vault}'
      zones: ['vault']
    }
  ],
  sourcePrivateEndpoint ? [{ name: 'source', group: 'blob', target: customerInsightsStorageId, zones: ['blob'] }] : [],
  monitorPrivateLink
    ? [
        {
          name: 'monitor'
          group: 'azuremonitor'
          target: '${group.id}/providers/Microsoft.Insights/privateLinkScopes/ampls-${suffix}'
          zones: ['monitor', 'oms', 'ods', 'agents', 'blob']
        }
      ]
    : []
)

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
    telemetryIsPrivate: monitorPrivateLink
    alertEmail: alertEmail
  }
}

module storage 'modules/storage.bicep' = {
  scope: group
  params: {
    name: names.storage
    location: location
    tags: tags
    auditWorkspaceId: monitoring.outputs.auditWorkspaceId
    rejectedDays: rejectedDays
    private: virtualNetwork
    zoneRedundant: zoneRedundant
    locked: deletionLock
  }
}

module vault 'modules/vault.bicep' = {
  scope: group
  params: {
    name: names.vault
    location: location
    tags: tags
    auditWorkspaceId: monitoring.outputs.auditWorkspaceId
    private: virtualNetwork
    recovered: recoverVault
    locked: deletionLock
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
    addresses: virtualNetworkAddresses
    zones: privateDnsZones == 'create' ? union(flatten(map(endpoints, endpoint => endpoint.zones)), apiZones) : []
  }
}

module monitorLink 'modules/monitor-link.bicep' = if (monitorPrivateLink) {
  scope: group
  params: {
    suffix: suffix
    tags: tags
    workspaceNames: monitoring.outputs.workspaceNames
    insightsName: names.insights
  }
}

module privateEndpoints 'modules/private-endpoints.bicep' = if (virtualNetwork) {
  scope: group
  dependsOn: [storage, vault, monitorLink]
  params: {
    suffix: suffix
    location: location
    tags: tags
    subnetId: network!.outputs.endpointsSubnetId
    zonesGroupId: zonesGroupId
    endpoints: endpoints
  }
}

module app 'modules/app.bicep' = {
  scope: group
  dependsOn: [rights, privateEndpoints] // its package is behind them
  params: {
    suffix: suffix
    location: location
    tags: tags
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    storageEndpoints: storage.outputs.endpoints
    deploymentContainer: storage.outputs.deploymentContainer
    insightsConnection: monitoring.outputs.connection
    actionGroupId: monitoring.outputs.actionGroupId
    subnetId: virtualNetwork ? network!.outputs.appSubnetId : ''
    isPublic: !apiPrivateEndpoint || !empty(allowedAddresses)
    allowedAddresses: listOf(allowedAddresses)
    deploymentAddresses: listOf(deploymentAddresses)
    maximumInstanceCount: maximumInstanceCount
    instanceMemoryMB: instanceMemoryMB
    zoneRedundant: zoneRedundant
    authClientId: functionKeys ? '' : authClientId
    keyVaultUrl: vault.outputs.url
    customerInsightsBlobUri: !empty(customerInsightsBlobUri)
      ? customerInsightsBlobUri
      : grantSourceAccess ? sourceAccount!.properties.primaryEndpoints.blob : usualSourceUri
    customerInsightsPath: customerInsightsPath
    autopilotUrl: autopilotUrl
    orttoUrl: orttoUrl
    exportSchedule: exportSchedule
    supervisionSchedule: supervisionSchedule
    historyDays: historyDays
    rejectedDays: rejectedDays
    notifies: notifies
    moreSettings: moreSettings
    packageUri: packageUri
  }
}

// After the app, which it leads to; the others come before it.
module apiEndpoint 'modules/private-endpoints.bicep' = if (apiPrivateEndpoint) {
  scope: group
  dependsOn: [app]
  params: {
    suffix: suffix
    location: location
    tags: tags
    subnetId: network!.outputs.endpointsSubnetId
    zonesGroupId: zonesGroupId
    endpoints: [
      {
        name: 'api'
        group: 'sites'
        target: '${group.id}/providers/Microsoft.Web/sites/func-${suffix}'
        zones: apiZones
      }
    ]
  }
}

module budget 'modules/budget.bicep' = if (monthlyBudget > 0) {
  scope: group
  params: { amount: monthlyBudget, start: budgetStart, email: alertEmail }
}

output AZURE_RESOURCE_GROUP string = group.name
output FUNCTION_APP_NAME string = app.outputs.name
output API_URL string = app.outputs.apiUrl
output APP_PRINCIPAL_ID string = identity.outputs.principalId
output KEY_VAULT_URL string = vault.outputs.url
