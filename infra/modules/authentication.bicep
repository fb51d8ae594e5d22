// App Service authentication in front of the API: only tokens of this tenant, for this application, come in.
// What the caller may do is in the token's roles (entra-application.json), which the app itself reads.
param appName string

@description('Application (client) id of the Entra application.')
param clientId string

resource app 'Microsoft.Web/sites@2025-03-01' existing = {
  name: appName
}

resource authentication 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: app
  name: 'authsettingsV2'
  properties: {
    platform: { enabled: true }
    globalValidation: {
      requireAuthentication: true
      unauthenticatedClientAction: 'Return401'
      // The console's files, which hold no data. Never '/': read as a prefix, it would exclude the API.
      excludedPaths: ['/console/index.html', '/console/main.js', '/console/style.css', '/console/icon.svg']
    }
    httpSettings: { requireHttps: true }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: clientId
          openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
        }
        validation: { allowedAudiences: [clientId, 'api://${clientId}'] }
      }
    }
    login: { preserveUrlFragmentsForLogins: true, tokenStore: { enabled: false } }
  }
}
