// Types that several templates share.

@export()
@description('Tags of every resource, by name.')
type tagsByName = {
  *: string
}

@export()
@description('Addresses of a storage account\'s services, with a slash at the end.')
type endpointsOfStorage = {
  blob: string
  queue: string
  table: string
}

@export()
@description('A private endpoint: what it is called, which part (`group`) of which resource (`target`) it leads to, and the DNS zones of its names by their short names (zoneName).')
type privateEndpoint = {
  name: string
  group: string
  target: string
  zones: string[]
}

@export()
@description('The private DNS zone of a short name. How many zones there are must not hang on what only Azure knows, the suffix of storage.')
func zoneName(short string) string =>
  {
    agents: 'privatelink.agentsvc.azure-automation.net'
    api: 'privatelink.azurewebsites.net'
    blob: 'privatelink.blob.${environment().suffixes.storage}'
    monitor: 'privatelink.monitor.azure.com'
    ods: 'privatelink.ods.opinsights.azure.com'
    oms: 'privatelink.oms.opinsights.azure.com'
    queue: 'privatelink.queue.${environment().suffixes.storage}'
    table: 'privatelink.table.${environment().suffixes.storage}'
    vault: 'privatelink.vaultcore.azure.net'
  }[short]
