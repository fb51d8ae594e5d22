// Private endpoints, and their records in the DNS zones that make the usual names lead there.
import { privateEndpoint, tagsByName, zoneName } from '../types.bicep'

param suffix string
param location string
param tags tagsByName

@description('Subnet in which they are.')
param subnetId string

@description('Resource group of the DNS zones that get their records; empty: somebody else makes the records.')
param zonesGroupId string

param endpoints privateEndpoint[]

@batchSize(1) // one subnet takes one change at a time
resource made 'Microsoft.Network/privateEndpoints@2026-03-01' = [
  for endpoint in endpoints: {
    name: 'pep-${endpoint.name}-${suffix}'
    location: location
    tags: tags
    properties: {
      subnet: { id: subnetId }
      privateLinkServiceConnections: [
        {
          name: endpoint.group
          properties: { privateLinkServiceId: endpoint.target, groupIds: [endpoint.group] }
        }
      ]
    }
  }
]

resource records 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2026-03-01' = [
  for (endpoint, i) in endpoints: if (!empty(zonesGroupId)) {
    parent: made[i]
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [
        for zone in endpoint.zones: {
          name: zone
          properties: {
            privateDnsZoneId: '${zonesGroupId}/providers/Microsoft.Network/privateDnsZones/${zoneName(zone)}'
          }
        }
      ]
    }
  }
]
