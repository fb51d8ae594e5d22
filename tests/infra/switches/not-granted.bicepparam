// Somebody else gives the right to read the source, as azd's hook does, and keeps the keys in the vault.
using '../../../infra/main.bicep'

param environmentName = 'exports'
param location = 'westeurope'
param customerInsightsStorageId = '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-insights/providers/Microsoft.Storage/storageAccounts/insights'
param customerInsightsPath = 'segments/CustomerInsights_1/BlobExport'
param authClientId = '44444444-4444-4444-4444-444444444444'
param grantSourceAccess = false
param storesKeys = false
