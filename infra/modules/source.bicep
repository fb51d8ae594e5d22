// The right to read what Customer Insights writes: one container, nothing else of that account.
@description('Storage account that Customer Insights writes to.')
param account string

@description('Container that holds the segments.')
param container string

@description('Principal that reads them.')
param principalId string

var blobDataReader = '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1'

resource storage 'Microsoft.Storage/storageAccounts@2026-06-01' existing = {
  name: account

  resource blobs 'blobServices' existing = {
    name: 'default'

    resource segments 'containers' existing = {
      name: container
    }
  }
}

resource reader 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(storage::blobs::segments.id, principalId, blobDataReader)
  scope: storage::blobs::segments
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobDataReader)
    principalId: principalId
    principalType: 'ServicePrincipal'
    description: 'Storage Blob Data Reader'
  }
}
