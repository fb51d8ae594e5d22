// Everything that the app may do in Azure: each right is a data role of the app's identity, on one resource. There are no others.
//
// A right's name is made from the principal, so that an identity that was made anew gets rights of its own. The principal is known
// only when the identity is there: what-if cannot look into this module, and so nothing else is in it.
@description('Principal of the app.')
param principalId string

@description('The app\'s own storage account.')
param storageName string

@description('The vault.')
param vaultName string

@description('Application Insights.')
param insightsName string

@description('Whether the app may store keys; else it may only read them.')
param storesKeys bool

@description('Where Customer Insights writes; null: somebody else gives the right to read it.')
param source { subscriptionId: string, resourceGroup: string, account: string, container: string }?

// What the documentation of the queue trigger asks for is not enough to release or to poison a message: Contributor is.
var storageRoles = {
  'Storage Blob Data Owner': 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  'Storage Queue Data Contributor': '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
  'Storage Table Data Contributor': '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
}

var vaultRoles = {
  'Key Vault Secrets Officer': 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7'
  'Key Vault Secrets User': '4633458b-17de-408a-b874-0445c86b69e6'
}
var vaultRole = storesKeys ? 'Key Vault Secrets Officer' : 'Key Vault Secrets User'

var metricsPublisher = '3913510d-42f4-4e42-8a64-420c390055eb'

resource storage 'Microsoft.Storage/storageAccounts@2026-06-01' existing = {
  name: storageName
}

resource vault 'Microsoft.KeyVault/vaults@2026-05-15' existing = {
  name: vaultName
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource ofStorage 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in items(storageRoles): {
    name: guid(storage.id, principalId, role.value)
    scope: storage
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.value)
      principalId: principalId
      principalType: 'ServicePrincipal'
      description: role.key
    }
  }
]

resource ofVault 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, principalId, vaultRoles[vaultRole])
  scope: vault
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', vaultRoles[vaultRole])
    principalId: principalId
    principalType: 'ServicePrincipal'
    description: vaultRole
  }
}

resource ofInsights 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(insights.id, principalId, metricsPublisher)
  scope: insights
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', metricsPublisher)
    principalId: principalId
    principalType: 'ServicePrincipal'
    description: 'Monitoring Metrics Publisher'
  }
}

module ofSource 'source.bicep' = if (source != null) {
  scope: resourceGroup(source!.subscriptionId, source!.resourceGroup)
  params: { account: source!.account, container: source!.container, principalId: principalId }
}
