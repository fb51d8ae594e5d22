#!/bin/sh
# Let the app read the one container that Customer Insights writes to. azd runs it after each provisioning; it may be run again.
#
# Not a part of the deployment: azd before 1.24.1 takes every resource group in which a deployment made something for its own,
# and deletes it on `azd down`. That account is not ours.
set -eu

[ "${GRANT_SOURCE_ACCESS:-true}" = true ] || exit 0
reader=2a2b9908-6ea1-4ae2-8e65-a410df84e7d1 # Storage Blob Data Reader
scope="$CUSTOMER_INSIGHTS_STORAGE_ID/blobServices/default/containers/${CUSTOMER_INSIGHTS_PATH%%/*}"
find_right() {
    az role assignment list --scope "$scope" --only-show-errors --output tsv \
        --query "[?principalId=='$APP_PRINCIPAL_ID' && ends_with(roleDefinitionId, '$reader')].id | [0]"
}

right=$(find_right)
if [ -z "$right" ]; then
    az role assignment create --role "$reader" --assignee-object-id "$APP_PRINCIPAL_ID" \
        --assignee-principal-type ServicePrincipal --scope "$scope" --output none --only-show-errors || {
        echo "You may not assign roles on Customer Insights' container. Ask its owner (docs/deploy.md), and set GRANT_SOURCE_ACCESS to false." >&2
        exit 1
    }
    right=$(find_right)
fi
# For revoke.sh: after `azd down` nobody knows the app's identity any more.
azd env set SOURCE_RIGHT_ID "$right"
