// Functions keys guard the API, which a few addresses reach.
using '../../../infra/main.bicep'

param environmentName = 'exports'
param location = 'westeurope'
param customerInsightsStorageId = '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-insights/providers/Microsoft.Storage/storageAccounts/insights'
param customerInsightsPath = 'segments/CustomerInsights_1/BlobExport'
param functionKeys = true
param allowedAddresses = '203.0.113.7/32, 198.51.100.0/24'
