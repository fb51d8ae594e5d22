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
