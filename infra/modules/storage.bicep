// The app's own storage account: queues, chunks, ledger, state, and the package that runs. No key opens it.
param name string
param location string
param tags object

@description('Principal of the app.')
param principalId string

@description('Workspace for the audit of who reads and deletes blobs.')
param workspaceId string

@description('Days that a rejected-rows file is kept.')
param rejectedDays int

@description('Whether only private endpoints reach the account.')
param private bool

var deploymentContainer = 'app-package'
var containers = ['configuration', 'chunks', 'outcomes', 'state', 'reports', 'rejected', 'erasures', 'counts']
var queues = [
  'export-runs'
  'export-runs-poison'
  'export-chunks'
  'export-chunks-poison'
  'export-notices'
  'export-notices-poison'
]
var tables = ['ledger', 'accounts', 'erased', 'audit']

// What the documentation of the queue trigger asks for is not enough to release or to poison a message: Contributor is.
var roles = {
  'Storage Blob Data Owner': 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  'Storage Queue Data Contributor': '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
  'Storage Table Data Contributor': '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
}

// The app deletes these itself; the rules are for what a run left that never came to its end. Days, by container.
var lifetimes = { chunks: 30, outcomes: 30, rejected: rejectedDays }

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: 'Standard_LRS' }
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

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-01-01' = {
  parent: account
  name: 'default'
  properties: {
    // No soft delete: a delivered chunk holds personal data and must be gone when it is deleted.
    deleteRetentionPolicy: { enabled: false }
    containerDeleteRetentionPolicy: { enabled: true, days: 7 }
  }
}

resource blobContainers 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' = [
  for container in union(containers, [deploymentContainer]): {
    parent: blobs
    name: container
  }
]

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2025-01-01' = {
  parent: account
  name: 'default'
}

resource storageQueues 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-01-01' = [
  for queue in queues: {
    parent: queueService
    name: queue
  }
]

resource tableService 'Microsoft.Storage/storageAccounts/tableServices@2025-01-01' = {
  parent: account
  name: 'default'
}

resource storageTables 'Microsoft.Storage/storageAccounts/tableServices/tables@2025-01-01' = [
  for table in tables: {
    parent: tableService
    name: table
  }
]

resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2025-01-01' = {
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

resource assignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in items(roles): {
    name: guid(account.id, principalId, role.value)
    scope: account
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.value)
      principalId: principalId
      principalType: 'ServicePrincipal'
      description: role.key
    }
  }
]

resource audit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'audit'
  scope: blobs
  properties: {
    workspaceId: workspaceId
    logs: [
      { category: 'StorageRead', enabled: true }
      { category: 'StorageDelete', enabled: true }
    ]
  }
}

output id string = account.id
output endpoints object = account.properties.primaryEndpoints
output deploymentContainer string = deploymentContainer
