// A private endpoint of one resource, and its record in the DNS zone that makes its usual name lead there.
import { tagsByName } from '../types.bicep'

param name string
param location string
param tags tagsByName

@description('Resource id that is reached.')
param target string

@description('Which part of it: blob, queue, table, vault.')
param group string

@description('Id of the private DNS zone that gets its record; empty: none, somebody else makes the record.')
param zoneId string

param subnetId string

resource endpoint 'Microsoft.Network/privateEndpoints@2026-03-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    subnet: { id: subnetId }
    privateLinkServiceConnections: [
      { name: group, properties: { privateLinkServiceId: target, groupIds: [group] } }
    ]
  }
}

resource records 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2026-03-01' = if (!empty(zoneId)) {
  parent: endpoint
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [{ name: group, properties: { privateDnsZoneId: zoneId } }]
  }
}
