// A private DNS zone, and its link to the network: the usual name of a service then leads to its private endpoint.
import { tagsByName } from '../types.bicep'

@description('Name of the zone.')
param name string
param tags tagsByName

param networkId string

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = {
  name: name
  location: 'global'
  tags: tags
}

resource link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = {
  parent: zone
  name: 'network'
  location: 'global'
  tags: tags
  properties: {
    virtualNetwork: { id: networkId }
    registrationEnabled: false
  }
}
