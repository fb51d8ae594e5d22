// Nothing has a public address: API, telemetry, source, storage, vault.
using '../../../infra/main.bicep'

param environmentName = 'exports'
param location = 'westeurope'
param customerInsightsStorageId = '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-insights/providers/Microsoft.Storage/storageAccounts/insights'
param customerInsightsPath = 'segments/CustomerInsights_1/BlobExport'
param authClientId = '44444444-4444-4444-4444-444444444444'
param virtualNetwork = true
param sourcePrivateEndpoint = true
param apiPrivateEndpoint = true
param monitorPrivateLink = true
param virtualNetworkAddresses = '192.168.7.0/25'
