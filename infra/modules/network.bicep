// A virtual network: one subnet that the app joins, one with private endpoints of its storage and vault.
import { tagsByName } from '../types.bicep'

param suffix string
param location string
param tags tagsByName

@description('Storage account of the app.')
param storageId string

@description('Vault of the app.')
param vaultId string

@description('Storage account of Customer Insights; empty: the app reaches it from the internet.')
param sourceId string

@description('Where the private DNS zones are: create (here), none (nobody\'s records are made here), or the id of a resource group.')
param zones string

var storageSuffix = environment().suffixes.storage
var blobZone = 'privatelink.blob.${storageSuffix}'
var ownTargets = [
  { name: 'blob', group: 'blob', id: storageId, zone: blobZone }
  { name: 'queue', group: 'queue', id: storageId, zone: 'privatelink.queue.${storageSuffix}' }
  { name: 'table', group: 'table', id: storageId, zone: 'privatelink.table.${storageSuffix}' }
  { name: 'vault', group: 'vault', id: vaultId, zone: 'privatelink.vaultcore.azure.net' }
]
var sourceTargets = empty(sourceId) ? [] : [{ name: 'source', group: 'blob', id: sourceId, zone: blobZone }]

// The source's zone is that of our own blobs: it is made with them.
var zonesGroup = zones == 'create' ? resourceGroup().id : zones

resource network 'Microsoft.Network/virtualNetworks@2026-03-01' = {
  name: 'vnet-${suffix}'
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: ['10.84.0.0/24'] }
    subnets: [
      {
        name: 'app'
        properties: {
          // No service endpoint here: Flex Consumption's subnet may have none, so no firewall lets this subnet in by its id.
          addressPrefix: '10.84.0.0/26'
          defaultOutboundAccess: true // Autopilot is on the internet
          delegations: [{ name: 'app', properties: { serviceName: 'Microsoft.App/environments' } }]
        }
      }
      {
        name: 'endpoints'
        properties: { addressPrefix: '10.84.0.64/27' }
      }
    ]
  }

  resource app 'subnets' existing = {
    name: 'app'
  }

  resource endpoints 'subnets' existing = {
    name: 'endpoints'
  }
}

module dns 'dns-zone.bicep' = [
  for target in (zones == 'create' ? ownTargets : []): {
    params: { name: target.zone, tags: tags, networkId: network.id }
  }
]

@batchSize(1) // one subnet takes one change at a time
module privateEndpoints 'private-endpoint.bicep' = [
  for target in concat(ownTargets, sourceTargets): {
    params: {
      name: 'pep-${target.name}-${suffix}'
      location: location
      tags: tags
      target: target.id
      group: target.group
      zoneId: zones == 'none' ? '' : '${zonesGroup}/providers/Microsoft.Network/privateDnsZones/${target.zone}'
      subnetId: network::endpoints.id
    }
    dependsOn: [dns]
  }
]

output appSubnetId string = network::app.id
