// The vault: Autopilot's API keys, which only it holds, and the key of the app's digests.
import { tagsByName } from '../types.bicep'

param name string
param location string
param tags tagsByName

@description('Workspace for the audit of every access.')
param workspaceId string

@description('Whether only private endpoints reach the vault.')
param private bool

resource vault 'Microsoft.KeyVault/vaults@2026-05-15' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: subscription().tenantId
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
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'audit', enabled: true }]
  }
}

output id string = vault.id
output url string = vault.properties.vaultUri
