// The app's own identity. User-assigned, so that its roles exist before the app does.
import { tagsByName } from '../types.bicep'

param name string
param location string
param tags tagsByName

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: name
  location: location
  tags: tags
}

output id string = identity.id
output principalId string = identity.properties.principalId
output clientId string = identity.properties.clientId
