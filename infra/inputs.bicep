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
  length(text) == 36 && madeOf(toLower(text), '${digits}abcdef-') && join(
    map(split(text, '-'), part => string(length(part))),
    ' '
  ) == '8 4 4 4 12'

@export()
@description('Whether a resource id begins as that of a resource group.')
func isInGroup(id string) bool =>
  startsWith(toLower(id), '/subscriptions/') && isGuid(split(id, '/')[?2] ?? '') && toLower(split(id, '/')[?3] ?? '') == 'resourcegroups' && !empty(split(
    id,
    '/'
  )[?4] ?? '')

@export()
@description('What is wrong with the name of the environment.')
func faultOfEnvironment(name string) string =>
  madeOf(toLower(name), '${lowerLetters}${digits}-')
    ? ''
    : 'environmentName may have letters, digits and hyphens only, because resources are named after it.'

@export()
@description('What is wrong with the resource id of Customer Insights\' storage account.')
func faultOfStorageId(id string) string =>
  isInGroup(id) && toLower(join(skip(split(id, '/'), 5), '/')) == 'providers/microsoft.storage/storageaccounts/${toLower(last(split(id, '/')))}' && isName(
      last(split(id, '/')),
      3,
      24,
      '${lowerLetters}${digits}'
    )
    ? ''
    : 'customerInsightsStorageId must be the resource id of a storage account, /subscriptions/…/resourceGroups/…/providers/Microsoft.Storage/storageAccounts/NAME, as `az storage account show -n NAME --query id -o tsv` prints it.'

@export()
@description('What is wrong with container/folder.')
func faultOfPath(path string) string =>
  !isName(split(path, '/')[0], 3, 63, '${lowerLetters}${digits}-') || contains('${path}/', '//') || !contains(path, '/')
    ? 'customerInsightsPath must be container/folder: the container\'s name (3 to 63 lower-case letters, digits, hyphens) and the folder that holds model.json, without an address before it or a slash at either end.'
    : last(split(path, '/')) == 'model.json'
        ? 'customerInsightsPath must name the folder that holds model.json, not the file.'
        : ''

@export()
@description('What is wrong with the ways to guard the API.')
func faultOfCallers(authClientId string, functionKeys bool, isLimited bool) string =>
  functionKeys
    ? isLimited
        ? ''
        : 'functionKeys needs allowedAddresses or apiPrivateEndpoint: a key alone, which nobody can be asked about, does not guard a public address.'
    : isGuid(authClientId)
        ? ''
        : 'authClientId must be the application (client) id of the Entra application, a GUID: `sh infra/register-application.sh` makes the application and prints it. For one person or one team behind an allow-list, functionKeys is the other way.'

@export()
@description('The parts of a list with commas.')
func listOf(text string) string[] => empty(text) ? [] : map(split(text, ','), part => trim(part))

@description('Whether a text is an IPv4 range, 203.0.113.7/32.')
func isRange(text string) bool =>
  isName(text, 9, 18, '${digits}./') && length(split(text, '/')) == 2 && length(split(text, '.')) == 4 && empty(filter(
    split(replace(text, '/', '.'), '.'),
    part => empty(part) || length(part) > 3
  )) && int(split(text, '/')[1]) <= 32

@export()
@description('What is wrong with a list of addresses. A range wider than /8 lets in whole continents: it guards nothing.')
func faultOfAddresses(name string, text string) string =>
  !empty(filter(listOf(text), part => !isRange(part)))
    ? '${name} must be IPv4 ranges with commas between them: 203.0.113.7/32,198.51.100.0/24.'
    : empty(filter(listOf(text), part => int(split(part, '/')[1]) < 8))
        ? ''
        : '${name} must name ranges of /8 or smaller: a wider one lets in nearly everybody.'

@export()
@description('What is wrong with the range of the network.')
func faultOfNetworkAddresses(text string) string =>
  !isRange(text) || int(split(text, '/')[1]) > 25
    ? 'virtualNetworkAddresses must be an IPv4 range of /25 or larger: 10.84.0.0/24.'
    : ''

@export()
@description('What is wrong with a budget.')
func faultOfBudget(amount int, start string, email string) string =>
  amount == 0 || (endsWith(start, '-01') && isName(start, 10, 10, '${digits}-') && !empty(email))
    ? ''
    : 'monthlyBudget needs budgetStart, the first day of a month (2026-12-01), and alertEmail, which hears of it.'

@export()
@description('What is wrong with a schedule.')
func faultOfSchedule(name string, schedule string) string =>
  length(split(schedule, ' ')) == 6
    ? ''
    : '${name} must have six fields with one space between them, from seconds to days of the week.'

var leftToTheApp = [
  'ALLOWED_SECRET_NAMES'
  'AUDIT_DAYS'
  'GRACE_SECONDS'
  'OTEL_EXPORTER_OTLP_ENDPOINT'
  'OTEL_TRACES_SAMPLER_ARG'
  'OUTAGE_MINUTES'
  'SETTLE_SECONDS'
  'SOURCE_KIND'
]

@export()
@description('What is wrong with settings beside those that the templates make: these have parameters of their own, or must be as they are.')
func faultOfSettings(settings { *: string }) string =>
  empty(filter(map(items(settings), setting => setting.key), name => !contains(leftToTheApp, name)))
    ? ''
    : 'moreSettings may have ${join(leftToTheApp, ', ')} and no other: the rest have parameters of their own, or must be as they are.'

@export()
@description('What is wrong with an address of a service.')
func faultOfUrl(name string, url string) string =>
  startsWith(url, 'https://') ? '' : '${name} must begin with https://.'

@export()
@description('What is wrong with a switch that needs the network.')
func faultOfSwitch(name string, isOn bool, virtualNetwork bool) string =>
  isOn && !virtualNetwork
    ? '${name} needs virtualNetwork: without a network there is no place for a private endpoint.'
    : ''

@export()
@description('What is wrong with the place of the DNS zones.')
func faultOfZones(privateDnsZones string) string =>
  contains(['create', 'none'], privateDnsZones) || (isInGroup(privateDnsZones) && length(split(privateDnsZones, '/')) == 5)
    ? ''
    : 'privateDnsZones must be create, none, or the id of the resource group that holds the zones: /subscriptions/…/resourceGroups/NAME.'
