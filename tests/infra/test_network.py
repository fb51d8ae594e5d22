"""The network that the templates make: who reaches what, by which zones, endpoints and addresses."""

from __future__ import annotations

import re
from typing import Final

import pytest

from local.package import ROOT
from tests.infra.compiler import Compiler, Deployment
from tests.infra.deployed import zone_name, zone_of


def test_a_zone_of_ones_own_is_used_and_none_is_made(bicep: Compiler) -> None:
    hub = bicep.switched("network-hub")
    assert hub.of("Microsoft.Network/privateDnsZones") == []
    zones = [zone_of(found) for found in hub.of("Microsoft.Network/privateEndpoints/privateDnsZoneGroups")]
    assert all("/resourceGroups/rg-hub" in zone and "privatelink." in zone for zone in zones)
    nobodys = bicep.deploy("network-source", privateDnsZones="none")
    assert nobodys.of("Microsoft.Network/privateDnsZones") == []
    assert nobodys.of("Microsoft.Network/privateEndpoints/privateDnsZoneGroups") == []
    assert len(nobodys.of("Microsoft.Network/privateEndpoints")) == len(zones)


def test_every_private_endpoint_has_the_zone_of_its_service(bicep: Compiler) -> None:
    made = bicep.switched("network-source")
    zones = {found.name for found in made.of("Microsoft.Network/privateDnsZones")}
    endpoints = made.of("Microsoft.Network/privateEndpoints/privateDnsZoneGroups")
    assert len(endpoints) == len(made.of("Microsoft.Network/privateEndpoints"))
    assert all(any(zone_name(zone) in zone_of(found) for zone in zones) for found in endpoints)


def test_the_network_has_the_range_that_was_asked_for(bicep: Compiler) -> None:
    properties = bicep.switched("network-all").only("Microsoft.Network/virtualNetworks").properties
    assert properties["addressSpace"] == {"addressPrefixes": ["192.168.7.0/25"]}
    subnets = {subnet["name"]: subnet["properties"]["addressPrefix"] for subnet in properties["subnets"]}
    assert subnets == {"app": "192.168.7.0/26", "endpoints": "192.168.7.64/27"}


def test_every_subnet_says_what_may_pass(bicep: Compiler) -> None:
    made = bicep.switched("network")
    (network,) = made.of("Microsoft.Network/virtualNetworks")
    groups = {found.id for found in made.of("Microsoft.Network/networkSecurityGroups")}
    subnets = network.properties["subnets"]
    assert {subnet["properties"]["networkSecurityGroup"]["id"] for subnet in subnets} == groups
    for group in made.of("Microsoft.Network/networkSecurityGroups"):
        rules = [rule["properties"] for rule in group.properties["securityRules"]]
        inbound = [rule for rule in rules if rule["direction"] == "Inbound"]
        last = max(inbound, key=lambda rule: int(rule["priority"]))
        assert (last["access"], last["sourceAddressPrefix"], last["destinationPortRange"]) == ("Deny", "*", "*")
        assert all(rule["destinationPortRange"] == "443" for rule in rules if rule["access"] == "Allow")


REACHED: Final = {
    "plain": {"api", "storage", "vault", "telemetry"},
    "network": {"api", "telemetry"},
    "network-all": set(),
}
"""What is reached from the internet, by combination of switches: the table of docs/deploy.md."""


@pytest.mark.parametrize("name", REACHED)
def test_what_is_reached_from_the_internet_is_what_the_documentation_says(bicep: Compiler, name: str) -> None:
    made = bicep.switched(name)
    doors = {
        "api": made.only("Microsoft.Web/sites").properties["publicNetworkAccess"],
        "storage": made.only("Microsoft.Storage/storageAccounts").properties["publicNetworkAccess"],
        "vault": made.only("Microsoft.KeyVault/vaults").properties["publicNetworkAccess"],
        "telemetry": made.only("Microsoft.Insights/components").properties["publicNetworkAccessForIngestion"],
    }
    assert {place for place, door in doors.items() if door == "Enabled"} == REACHED[name]
    (row,) = re.findall(rf"^\| `{name}` \|.*$", (ROOT / "docs/deploy.md").read_text(), re.MULTILINE)
    cells = dict(zip(doors, (cell.strip() for cell in row.split("|")[2:6]), strict=True))
    assert {place for place, cell in cells.items() if cell.startswith("yes")} == REACHED[name]


def test_a_list_of_addresses_shuts_out_everybody_else(bicep: Compiler, plain: Deployment) -> None:
    site = (
        bicep.deploy("keys", deploymentAddresses="203.0.113.9/32").only("Microsoft.Web/sites").properties["siteConfig"]
    )
    assert [rule["ipAddress"] for rule in site["ipSecurityRestrictions"]] == ["203.0.113.7/32", "198.51.100.0/24"]
    assert [rule["ipAddress"] for rule in site["scmIpSecurityRestrictions"]] == ["203.0.113.9/32"]
    assert site["ipSecurityRestrictionsDefaultAction"] == site["scmIpSecurityRestrictionsDefaultAction"] == "Deny"
    assert plain.only("Microsoft.Web/sites").properties["siteConfig"]["ipSecurityRestrictionsDefaultAction"] == "Allow"


def test_an_api_that_only_the_network_reaches_lets_in_listed_addresses_too(bicep: Compiler) -> None:
    made = bicep.deploy("network-all", allowedAddresses="203.0.113.7/32").only("Microsoft.Web/sites").properties
    assert made["publicNetworkAccess"] == "Enabled"
    assert made["siteConfig"]["ipSecurityRestrictionsDefaultAction"] == "Deny"
