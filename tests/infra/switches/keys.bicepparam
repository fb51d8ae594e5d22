// Functions keys guard the API.
using '../../../infra/main.bicep'

param environmentName = 'exports'
param location = 'westeurope'
param customerInsightsStorageId = '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-insights/providers/Microsoft.Storage/storageAccounts/insights'
param customerInsightsPath = 'segments/CustomerInsights_1/BlobExport'
