// Where traces, logs and metrics go: a workspace, and Application Insights on it, which takes telemetry from Entra identities
// only; and what watches them.
import { tagsByName } from '../types.bicep'

param suffix string

@description('Name of Application Insights.')
param insightsName string
param location string
param tags tagsByName

@description('Most gigabytes a day.')
param gigabytesADay int

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
  }
}

module watch 'watch.bicep' = {
  params: { suffix: suffix, location: location, tags: tags, workspaceId: workspace.id, alertEmail: alertEmail }
}

output workspaceId string = workspace.id
output connection string = insights.properties.ConnectionString
