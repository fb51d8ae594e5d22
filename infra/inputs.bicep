// What is wrong with a deployment's parameters: a sentence each, empty if all is well. Nothing here asks Azure.

var lowerLetters = 'abcdefghijklmnopqrstuvwxyz'
var digits = '0123456789'

@description('Whether a text is made of these characters only.')
func madeOf(text string, characters string) bool =>
  empty(filter(map(range(0, length(text)), i => substring(text, i, 1)), found => !contains(characters, found)))

@description('Whether a name has a length between two bounds, and is made of these characters only.')
func isName(name string, least int, most int, characters string) bool =>
  length(name) >= least && length(name) <= most && madeOf(name, characters)

@export()
@description('Whether a text is a GUID in its usual form.')
func isGuid(text string) bool =>
  length(text) == 36 && madeOf(toLower(text), '${digits}abcdef-') && join(map(split(text, '-'), part => string(length(part))), ' ') == '8 4 4 4 12'

@export()
@description('Whether a resource id begins as that of a resource group.')
func isInGroup(id string) bool =>
  startsWith(toLower(id), '/subscriptions/') && isGuid(split(id, '/')[?2] ?? '') && toLower(split(id, '/')[?3] ?? '') == 'resourcegroups' && !empty(split(id, '/')[?4] ?? '')

@export()
@description('What is wrong with the name of the environment.')
func faultOfEnvironment(name string) string =>
  madeOf(toLower(name), '${lowerLetters}${digits}-')
    ? ''
    : 'environmentName may have letters, digits and hyphens only, because resources are named after it.'

@export()
@description('What is wrong with the resource id of Customer Insights\' storage account.')
func faultOfStorageId(id string) string =>
  isInGroup(id) && toLower(join(skip(split(id, '/'), 5), '/')) == 'providers/microsoft.storage/storageaccounts/${toLower(last(split(id, '/')))}' && isName(last(split(id, '/')), 3, 24, '${lowerLetters}${digits}')
    ? ''
    : 'customerInsightsStorageId must be the resource id of a storage account, /subscriptions/…/resourceGroups/…/providers/Microsoft.Storage/storageAccounts/NAME, as `az storage account show -n NAME --query id -o tsv` prints it.'

@export()
@description('What is wrong with container/folder.')
func faultOfPath(path string) string =>
  !isName(split(path, '/')[0], 3, 63, '${lowerLetters}${digits}-') || contains('${path}/', '//') || !contains(path, '/')
    ? 'customerInsightsPath must be container/folder: the container\'s name (3 to 63 lower-case letters, digits, hyphens) and the folder that holds model.json, without an address before it or a slash at either end.'
    : last(split(path, '/')) == 'model.json' ? 'customerInsightsPath must name the folder that holds model.json, not the file.' : ''

@export()
@description('What is wrong with the client id of the Entra application.')
func faultOfClientId(id string) string =>
  empty(id) || isGuid(id) ? '' : 'authClientId must be the application (client) id of the Entra application, a GUID, or empty.'

@export()
@description('What is wrong with a schedule.')
func faultOfSchedule(name string, schedule string) string =>
  length(split(schedule, ' ')) == 6 ? '' : '${name} must have six fields with one space between them, from seconds to days of the week.'

@export()
@description('What is wrong with an address of a service.')
func faultOfUrl(name string, url string) string => startsWith(url, 'https://') ? '' : '${name} must begin with https://.'

@export()
@description('What is wrong with the switches of the network.')
func faultOfNetwork(virtualNetwork bool, sourcePrivateEndpoint bool, privateDnsZones string) string =>
  sourcePrivateEndpoint && !virtualNetwork
    ? 'sourcePrivateEndpoint needs virtualNetwork: without a network there is no place for a private endpoint.'
    : contains(['create', 'none'], privateDnsZones) || (isInGroup(privateDnsZones) && length(split(privateDnsZones, '/')) == 5)
        ? ''
        : 'privateDnsZones must be create, none, or the id of the resource group that holds the zones: /subscriptions/…/resourceGroups/NAME.'
