// The app's own storage account: queues, chunks, ledger, state, and the package that runs. No key opens it.
import { endpointsOfStorage, tagsByName } from '../types.bicep'

param name string
param location string
param tags tagsByName

@description('Workspace for the audit of who reads, writes and deletes.')
param auditWorkspaceId string

@description('Days that a rejected-rows file is kept.')
param rejectedDays int

@description('Whether only private endpoints reach the account.')
param private bool

@description('Whether the data is kept in three zones of the region instead of one.')
param zoneRedundant bool

@description('Whether nobody deletes the account before taking the lock off.')
param locked bool

var deploymentContainer = 'app-package'
var containers = [
  'configuration'
  'chunks'
  'outcomes'
  'state'
  'reports'
  'rejected'
  'erasures'
  'counts'
  'previews'
]
var queues = [
  'export-runs'
  'export-runs-poison'
  'export-chunks'
  'export-chunks-poison'
  'export-notices'
  'export-notices-poison'
]
var tables = ['ledger', 'accounts', 'erased', 'audit']

// The app deletes these itself; the rules are for what a run left that never came to its end. Days, by container.
var lifetimes = { chunks: 30, outcomes: 30, rejected: rejectedDays }

resource account 'Microsoft.Storage/storageAccounts@2026-06-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: zoneRedundant ? 'Standard_ZRS' : 'Standard_LRS' }
  properties: {
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: private ? 'Disabled' : 'Enabled'
    networkAcls: { defaultAction: private ? 'Deny' : 'Allow', bypass: 'None' }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2026-06-01' = {
  parent: account
  name: 'default'
  properties: {
    // No soft delete: a delivered chunk holds personal data and must be gone when it is deleted.
    deleteRetentionPolicy: { enabled: false }
    containerDeleteRetentionPolicy: { enabled: true, days: 7 }
  }
}

resource blobContainers 'Microsoft.Storage/storageAccounts/blobServices/containers@2026-06-01' = [
  for container in union(containers, [deploymentContainer]): {
    parent: blobs
    name: container
  }
]

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2026-06-01' = {
  parent: account
  name: 'default'
}

resource storageQueues 'Microsoft.Storage/storageAccounts/queueServices/queues@2026-06-01' = [
  for queue in queues: {
    parent: queueService
    name: queue
  }
]

resource tableService 'Microsoft.Storage/storageAccounts/tableServices@2026-06-01' = {
  parent: account
  name: 'default'
}

resource storageTables 'Microsoft.Storage/storageAccounts/tableServices/tables@2026-06-01' = [
  for table in tables: {
    parent: tableService
    name: table
  }
]

resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2026-06-01' = {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: [
        for lifetime in items(lifetimes): {
          name: 'delete-${lifetime.key}'
          type: 'Lifecycle'
          definition: {
            filters: { blobTypes: ['blockBlob'], prefixMatch: ['${lifetime.key}/'] }
            actions: { baseBlob: { delete: { daysAfterCreationGreaterThan: lifetime.value } } }
          }
        }
      ]
    }
  }
}

// Reads of blobs are people's data; the host's own looks at queues and tables are not worth their price.
// The newest version that has categories of logs; 2016-09-01, which the rule asks for, is older.
#disable-next-line use-recent-api-versions
resource auditOfBlobs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'audit'
  scope: blobs
  properties: {
    workspaceId: auditWorkspaceId
    logs: [for category in ['StorageRead', 'StorageWrite', 'StorageDelete']: { category: category, enabled: true }]
  }
}

// As above.
#disable-next-line use-recent-api-versions
resource auditOfQueues 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'audit'
  scope: queueService
  properties: {
    workspaceId: auditWorkspaceId
    logs: [for category in ['StorageWrite', 'StorageDelete']: { category: category, enabled: true }]
  }
}

// As above.
#disable-next-line use-recent-api-versions
resource auditOfTables 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'audit'
  scope: tableService
  properties: {
    workspaceId: auditWorkspaceId
    logs: [for category in ['StorageWrite', 'StorageDelete']: { category: category, enabled: true }]
  }
}

resource lock 'Microsoft.Authorization/locks@2020-05-01' = if (locked) {
  name: 'state'
  scope: account
  properties: { level: 'CanNotDelete', notes: 'Holds what was delivered, and who must never be delivered again.' }
}

output id string = account.id
output endpoints endpointsOfStorage = {
  blob: account.properties.primaryEndpoints.blob
  queue: account.properties.primaryEndpoints.queue
  table: account.properties.primaryEndpoints.table
}
output deploymentContainer string = deploymentContainer
