// The workbook, and the alerts: every query in a file of its own (../queries), tested against what the app sends.
import { tagsByName } from '../types.bicep'

param suffix string
param location string
param tags tagsByName

@description('Workspace that holds the telemetry.')
param workspaceId string

@description('Daily cap of that workspace, in gigabytes.')
param gigabytesADay int

@description('Address that alerts go to; empty: they are shown in the portal only.')
param alertEmail string

var queries = {
  cost: loadTextContent('../queries/cost.kql')
  lag: loadTextContent('../queries/lag.kql')
  progress: loadTextContent('../queries/progress.kql')
  rejected: loadTextContent('../queries/rejected.kql')
  runs: loadTextContent('../queries/runs.kql')
  throttling: loadTextContent('../queries/throttling.kql')
  throughput: loadTextContent('../queries/throughput.kql')
  waiting: loadTextContent('../queries/waiting.kql')
}

// An alert's name is its heading in docs/operate.md. `range` is what its query looks at.
var alerts = {
  'run-failed': {
    title: 'A run failed, or a guard stopped it'
    severity: 1
    range: 'PT15M'
    query: loadTextContent('../queries/run-failed.kql')
  }
  'key-refused': {
    title: 'An account refuses its key'
    severity: 1
    range: 'PT15M'
    query: loadTextContent('../queries/key-refused.kql')
  }
  'nothing-exported': {
    title: 'The source was refreshed, and nothing was exported'
    severity: 1
    range: 'P2D'
    query: loadTextContent('../queries/nothing-exported.kql')
  }
  'source-unreachable': {
    title: 'Customer Insights\' storage cannot be read'
    severity: 1
    range: 'PT1H'
    query: loadTextContent('../queries/source-unreachable.kql')
  }
  silent: {
    title: 'The app does nothing'
    severity: 1
    range: 'P2D'
    query: loadTextContent('../queries/silent.kql')
  }
  'chunk-given-up': {
    title: 'A chunk was given up'
    severity: 1
    range: 'PT15M'
    query: loadTextContent('../queries/chunk-given-up.kql')
  }
  'rejected-share': {
    title: 'Many rows are rejected'
    severity: 2
    range: 'PT15M'
    query: loadTextContent('../queries/rejected-share.kql')
  }
  'unusual-removals': {
    title: 'Unusually many members were removed'
    severity: 2
    range: 'PT15M'
    query: loadTextContent('../queries/unusual-removals.kql')
  }
  'chunks-old': {
    title: 'Chunks wait for long'
    severity: 2
    range: 'PT15M'
    query: loadTextContent('../queries/chunks-old.kql')
  }
  'telemetry-cap': {
    title: 'Telemetry comes near its daily cap'
    severity: 2
    range: 'P1D'
    query: replace(loadTextContent('../queries/telemetry-cap.kql'), 'cap = 1.0', 'cap = ${gigabytesADay}.0')
  }
}

// What administrators change in the resource group, from Azure's own activity log. Deployments set them off too.
var changes = {
  'rights-changed': [
    'Microsoft.Authorization/roleAssignments/write'
    'Microsoft.Authorization/roleAssignments/delete'
    // Whoever adds one signs in as the app's identity from elsewhere, with all its roles, and no role is given.
    'Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write'
  ]
  'settings-changed': [
    'Microsoft.Web/sites/config/write'
    'Microsoft.Web/sites/write'
    'Microsoft.Storage/storageAccounts/write'
    'Microsoft.Storage/storageAccounts/blobServices/write'
    'Microsoft.KeyVault/vaults/write'
    'Microsoft.Insights/diagnosticSettings/write'
    'Microsoft.Insights/diagnosticSettings/delete'
  ]
}

var template = loadJsonContent('../workbook.json')
// Platform metrics: the host's own telemetry leaves out queues and timers (docs/decisions/10-telemetry.md).
var metricsOfApp = { content: { resourceIds: [resourceId('Microsoft.Web/sites', 'func-${suffix}')] } }
var parts = [
  for part in template.items: union(
    part,
    part.type == 10 ? metricsOfApp : {},
    contains(queries, part.name)
      ? {
          content: { query: queries[part.name] }
        }
      : {}
  )
]

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(workspaceId, 'segment-export')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Segment export'
    category: 'workbook'
    sourceId: workspaceId
    serializedData: string(union(template, { items: parts, fallbackResourceIds: [workspaceId] }))
  }
}

resource receivers 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-${suffix}'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'segexport'
    emailReceivers: empty(alertEmail)
      ? []
      : [
          { name: 'operator', emailAddress: alertEmail, useCommonAlertSchema: true }
        ]
  }
}

resource rules 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = [
  for alert in items(alerts): {
    name: alert.key
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: alert.value.title
      description: 'What to do: docs/operate.md, ${alert.key}'
      severity: alert.value.severity
      enabled: true
      scopes: [workspaceId]
      evaluationFrequency: 'PT15M'
      windowSize: 'PT15M'
      overrideQueryTimeRange: alert.value.range == 'PT15M' ? null : alert.value.range
      autoMitigate: false
      muteActionsDuration: alert.value.range == 'PT15M' ? null : 'PT6H'
      // The tables come into being with the first telemetry, which is after the rules.
      skipQueryValidation: true
      criteria: {
        allOf: [
          {
            query: alert.value.query
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: 0
            dimensions: [{ name: 'export', operator: 'Include', values: ['*'] }]
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      actions: { actionGroups: [receivers.id] }
    }
  }
]

resource changed 'Microsoft.Insights/activityLogAlerts@2026-01-01' = [
  for change in items(changes): {
    name: change.key
    location: 'global'
    tags: tags
    properties: {
      description: 'What to do: docs/operate.md, ${change.key}'
      enabled: true
      scopes: [resourceGroup().id]
      condition: {
        allOf: [
          { field: 'category', equals: 'Administrative' }
          { field: 'status', equals: 'Succeeded' }
          { anyOf: map(change.value, operation => { field: 'operationName', equals: operation }) }
        ]
      }
      actions: { actionGroups: [{ actionGroupId: receivers.id }] }
    }
  }
]

output actionGroupId string = receivers.id
