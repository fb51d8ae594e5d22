#!/bin/sh
# What a deployment needs, looked at before anything is made: azd runs it first (azure.yaml). What is missing is said in a sentence.
set -eu

stop() {
    echo "Not deployed: $*" >&2
    exit 1
}

command -v az >/dev/null 2>&1 || stop "the Azure CLI is missing. Install it (https://aka.ms/azure-cli)."
command -v make >/dev/null 2>&1 || stop "make is missing. Install it: it builds the package."
command -v python3.13 >/dev/null 2>&1 || command -v uv >/dev/null 2>&1 ||
    stop "Python 3.13 is missing. Install it, or uv (https://docs.astral.sh/uv/), which brings it."
[ -z "${NOTIFY_URL:-}" ] ||
    stop "NOTIFY_URL is no longer read, because a deployment would keep it in plain text. Store it in the vault and set NOTIFY to true (docs/deploy.md), then empty it: azd env set NOTIFY_URL ''."
for name in AZURE_ENV_NAME AZURE_LOCATION AZURE_SUBSCRIPTION_ID CUSTOMER_INSIGHTS_STORAGE_ID CUSTOMER_INSIGHTS_PATH; do
    eval "value=\${$name:-}"
    [ -n "$value" ] || stop "$name is not set: azd env set $name VALUE (docs/deploy.md)."
done
az account show --output none 2>/dev/null || stop "nobody is signed in to the Azure CLI. Run: az login"

on="--subscription $AZURE_SUBSCRIPTION_ID --only-show-errors"
region=$(echo "$AZURE_LOCATION" | tr '[:upper:]' '[:lower:]' | tr -d ' ')
zones=""
[ "${ZONE_REDUNDANT:-false}" != true ] || zones="--zone-redundant"

# shellcheck disable=SC2086 # options, which are several words
{
    az functionapp list-flexconsumption-locations $zones $on --query '[].name' --output tsv | grep -qx "$region" ||
        stop "$AZURE_LOCATION does not offer Flex Consumption${zones:+ in several zones}. These regions do: az functionapp list-flexconsumption-locations $zones"
    az functionapp list-flexconsumption-runtimes --location "$region" --runtime python $on --query '[].version' --output tsv |
        grep -qx 3.13 || stop "$AZURE_LOCATION does not offer Python 3.13 on Flex Consumption yet. Choose another region."
}

permissions="/subscriptions/$AZURE_SUBSCRIPTION_ID/providers/Microsoft.Authorization/permissions?api-version=2022-04-01"
may_assign="length(value[?(contains(actions, '*') && !contains(notActions, 'Microsoft.Authorization/*/Write')) || contains(actions, 'Microsoft.Authorization/*') || contains(actions, 'Microsoft.Authorization/roleAssignments/write')])"
[ "$(az rest --method GET --url "$permissions" --query "$may_assign" --output tsv --only-show-errors)" != 0 ] ||
    stop "you may not assign roles in this subscription. You need Owner, or Contributor and Role Based Access Control Administrator."

# shellcheck disable=SC2086
for name in Web App Storage KeyVault ManagedIdentity Insights OperationalInsights Network Consumption; do
    state=$(az provider show --namespace "Microsoft.$name" $on --query registrationState --output tsv)
    if [ "$state" != Registered ]; then
        echo "Registering the resource provider Microsoft.$name"
        az provider register --namespace "Microsoft.$name" --wait $on || stop "the resource provider Microsoft.$name cannot be registered. Ask an Owner of the subscription."
    fi
done

# Whoever has no right to see the source leaves it to its owner.
if [ "${GRANT_SOURCE_ACCESS:-true}" = true ]; then
    container=${CUSTOMER_INSIGHTS_PATH%%/*}
    account=$(az resource show --ids "$CUSTOMER_INSIGHTS_STORAGE_ID" --output tsv --only-show-errors \
        --query '[properties.networkAcls.defaultAction, properties.primaryEndpoints.blob]') ||
        stop "the storage account of CUSTOMER_INSIGHTS_STORAGE_ID cannot be seen. Correct it; or set GRANT_SOURCE_ACCESS to false if somebody else owns the account."
    # shellcheck disable=SC2086 # two words
    set -- $account
    az resource show --ids "$CUSTOMER_INSIGHTS_STORAGE_ID/blobServices/default/containers/$container" --output none --only-show-errors ||
        stop "that account has no container $container. CUSTOMER_INSIGHTS_PATH begins with the container's name."
    [ "$1" != Deny ] || [ "${SOURCE_PRIVATE_ENDPOINT:-false}" = true ] ||
        stop "the firewall of Customer Insights' account lets nobody in. Set VIRTUAL_NETWORK and SOURCE_PRIVATE_ENDPOINT to true."
    azd env set CUSTOMER_INSIGHTS_BLOB_URI "$2"
fi

# A vault that was deleted with this environment keeps its name for 90 days: it is recovered, with its keys.
# shellcheck disable=SC2086
deleted=$(az keyvault list-deleted --resource-type vault $on \
    --query "length([?properties.location=='$region' && properties.tags.\"azd-env-name\"=='$AZURE_ENV_NAME'])" --output tsv)
azd env set RECOVER_VAULT "$([ "$deleted" = 0 ] && echo false || echo true)"
