#!/bin/sh
# Take away the right that grant.sh gave: it lies in somebody else's account, where `azd down` deletes nothing. azd runs it afterwards.
set -eu

[ -n "${SOURCE_RIGHT_ID:-}" ] || exit 0
az role assignment delete --ids "$SOURCE_RIGHT_ID" --only-show-errors || {
    echo "The app's right to read Customer Insights' container is still there: az role assignment delete --ids $SOURCE_RIGHT_ID" >&2
    exit 1
}
azd env set SOURCE_RIGHT_ID ""
