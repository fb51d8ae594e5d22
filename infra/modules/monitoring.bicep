// Where traces, logs and metrics go: a workspace, and Application Insights on it, which takes telemetry from Entra identities
// only; a workspace for the audit, which no flood of telemetry fills; and what watches them.
import { tagsByName } from '../types.bicep'

param suffix string

@description('Name of Application Insights.')
param insightsName string
param location string
param tags tagsByName

@description('Most gigabytes a day.')
param gigabytesADay int

@description('Whether telemetry is taken through the private link only.')
param telemetryIsPrivate bool

@description('Address that alerts go to; empty: the portal only.')
param alertEmail string

resource workspace 'Microsoft.OperationalInsights/workspaces@2026-03-01' = {
  name: 'log-${suffix}'
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: 30
    workspaceCapping: { dailyQuotaGb: gigabytesADay }
    features: { disableLocalAuth: true }
    publicNetworkAccessForIngestion: telemetryIsPrivate ? 'Disabled' : 'Enabled'
  }
}

// Without a daily cap: who floods the telemetry does not blind the audit.
resource auditWorkspace 'Microsoft.OperationalInsights/workspaces@2026-03-01' = {
  name: 'log-audit-${suffix}'
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: 90
    features: { disableLocalAuth: true }
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: insightsName
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    DisableLocalAuth: true
    publicNetworkAccessForIngestion: telemetryIsPrivate ? 'Disabled' : 'Enabled'
  }
}

module watch 'watch.bicep' = {
  params: {
    suffix: suffix
    location: location
    tags: tags
    workspaceId: workspace.id
    gigabytesADay: gigabytesADay
    alertEmail: alertEmail
  }
}

output auditWorkspaceId string = auditWorkspace.id
output workspaceNames string[] = [workspace.name, auditWorkspace.name]
output actionGroupId string = watch.outputs.actionGroupId
output connection string = insights.properties.ConnectionString
