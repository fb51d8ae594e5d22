// A budget of the resource group: somebody hears before the month is dearer than was thought.
@description('A month\'s cost, in the currency of the subscription.')
param amount int

@description('First day of the month in which it begins.')
param start string

@description('Address that hears of it.')
param email string

resource budget 'Microsoft.Consumption/budgets@2026-06-01' = {
  name: 'segment-export'
  properties: {
    category: 'Cost'
    amount: amount
    timeGrain: 'Monthly'
    timePeriod: { startDate: start }
    notifications: {
      nearly: { enabled: true, operator: 'GreaterThan', threshold: 80, contactEmails: [email] }
      spent: { enabled: true, operator: 'GreaterThan', threshold: 100, contactEmails: [email] }
    }
  }
}
