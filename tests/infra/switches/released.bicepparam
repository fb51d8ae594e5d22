// From a release, with a webhook, on a vault that was recovered.
using '../../../infra/main.bicep'

param environmentName = 'exports'
param location = 'westeurope'
param customerInsightsStorageId = '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-insights/providers/Microsoft.Storage/storageAccounts/insights'
param customerInsightsPath = 'segments/CustomerInsights_1/BlobExport'
param authClientId = '44444444-4444-4444-4444-444444444444'
param packageUri = 'https://example.com/segment-export.zip'
param notifies = true
param recoverVault = true
