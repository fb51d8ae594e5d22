// Telemetry through a private link: a scope that holds the workspaces and Application Insights.
import { tagsByName } from '../types.bicep'

param suffix string
param tags tagsByName

param workspaceNames string[]
param insightsName string

resource workspaces 'Microsoft.OperationalInsights/workspaces@2026-03-01' existing = [
  for name in workspaceNames: {
    name: name
  }
]

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource link 'Microsoft.Insights/privateLinkScopes@2021-09-01' = {
  name: 'ampls-${suffix}'
  location: 'global'
  tags: tags
  properties: {
    // Open: networks that use this zone still reach other people's workspaces. Ours take telemetry through the link only.
    accessModeSettings: { ingestionAccessMode: 'Open', queryAccessMode: 'Open' }
  }
}

resource linkedWorkspaces 'Microsoft.Insights/privateLinkScopes/scopedResources@2021-09-01' = [
  for (name, i) in workspaceNames: {
    parent: link
    name: name
    properties: { linkedResourceId: workspaces[i].id }
  }
]

resource linkedInsights 'Microsoft.Insights/privateLinkScopes/scopedResources@2021-09-01' = {
  parent: link
  name: insightsName
  properties: { linkedResourceId: insights.id }
}
