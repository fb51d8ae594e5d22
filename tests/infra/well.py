"""An environment in which all is well, and what Azure answers there."""

from __future__ import annotations

from typing import Final

STORAGE: Final = "/subscriptions/1/resourceGroups/g/providers/Microsoft.Storage/storageAccounts/insights"


ENVIRONMENT: Final = {
    "AZURE_ENV_NAME": "exports",
    "AZURE_LOCATION": "West Europe",
    "AZURE_SUBSCRIPTION_ID": "1",
    "CUSTOMER_INSIGHTS_STORAGE_ID": STORAGE,
    "CUSTOMER_INSIGHTS_PATH": "segments/CustomerInsights_1/BlobExport",
    "APP_PRINCIPAL_ID": "the-app",
}


WELL: Final = {
    "functionapp list-flexconsumption-locations": "eastus\nwesteurope",
    "functionapp list-flexconsumption-runtimes": "3.12\n3.13",
    "rest --method GET": "1",
    "provider show": "Registered",
    "resource show": "Allow\nhttps://insights.z01.blob.storage.azure.net/",
    "keyvault list-deleted": "0",
}
"""What `az` answers when all is well: the first words of a command, and its output; `!` stands for a failure."""
