#!/bin/sh
# Register the Entra application that guards the API, and print its client id. It may be run again: it then sets the same again.
#
# Commands and no template, because a deployment with Microsoft Graph's Bicep extension would need the permission
# Application.ReadWrite.All each time. Few people have it.
set -eu

folder=$(dirname "$0")
name="Segment export"
graph=https://graph.microsoft.com/v1.0/applications
cli=04b07795-8ddb-461a-bbee-02f9e1bf7b46 # the Azure CLI: people call the API from a terminal without a consent dialog
scope=7ca04950-82da-5696-8c22-1260f2561c8f

app=${AUTH_CLIENT_ID:-}
if [ -z "$app" ]; then
    found=$(az ad app list --filter "displayName eq '$name'" --query '[].appId' --output tsv)
    case $(echo "$found" | wc -w) in
        0) app=$(az rest --method POST --url "$graph" --body "@$folder/entra-application.json" --query appId --output tsv) ;;
        1) app=$found ;;
        *)
            echo "Several applications are called $name. Say which is meant: AUTH_CLIENT_ID=... sh infra/register-application.sh" >&2
            exit 1
            ;;
    esac
fi
az rest --method PATCH --url "$graph(appId='$app')" --body "{
  \"identifierUris\": [\"api://$app\"],
  \"api\": {\"preAuthorizedApplications\": [{\"appId\": \"$cli\", \"delegatedPermissionIds\": [\"$scope\"]}]}}"
az ad sp show --id "$app" --output none 2>/dev/null || az ad sp create --id "$app" --output none
az ad sp update --id "$app" --set appRoleAssignmentRequired=true
echo "$app"
