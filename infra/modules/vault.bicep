// The vault: Autopilot's API keys, which only it holds, and the key of the app's digests.
import { tagsByName } from '../types.bicep'

param name string
param location string
param tags tagsByName

@description('Workspace for the audit of every access.')
param auditWorkspaceId string

@description('Whether only private endpoints reach the vault.')
param private bool

@description('Whether the vault of this name was deleted and is recovered, with its secrets.')
param recovered bool

@description('Whether nobody deletes the vault before taking the lock off.')
param locked bool

resource vault 'Microsoft.KeyVault/vaults@2026-05-15' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: subscription().tenantId
    createMode: recovered ? 'recover' : 'default'
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    enablePurgeProtection: true
    publicNetworkAccess: private ? 'Disabled' : 'Enabled'
    networkAcls: { defaultAction: private ? 'Deny' : 'Allow', bypass: 'None' }
  }
}

// The newest version that has categories of logs; 2016-09-01, which the rule asks for, is older.
#disable-next-line use-recent-api-versions
resource audit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'audit'
  scope: vault
  properties: {
    workspaceId: auditWorkspaceId
    logAnalyticsDestinationType: 'Dedicated' // table AZKVAuditLogs
    logs: [{ categoryGroup: 'audit', enabled: true }]
  }
}

resource lock 'Microsoft.Authorization/locks@2020-05-01' = if (locked) {
  name: 'keys'
  scope: vault
  properties: { level: 'CanNotDelete', notes: 'Holds the digest key: without it the state is worthless.' }
}

output id string = vault.id
output url string = vault.properties.vaultUri
