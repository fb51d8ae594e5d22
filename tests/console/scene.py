"""What a marketing person finds in the morning: a made-up company, and exports that went well, with warnings, and badly."""

from __future__ import annotations

from typing import Final

from local.environment import Company
from local.world import SIMPLE, World

MARKUP: Final = '<img src=x onerror="document.title=1"> & sons'
"""What a name may be."""


def fill(world: World) -> None:
    """Publish segments, and make a connection and exports: one that ran twice, one that failed, one that never ran."""
    company = Company.found(400)
    world.publish_company(company)
    world.connect(display_name="Main account")
    world.save("loyalty", display_name="Loyalty lists")
    world.run("loyalty")
    world.publish_company(company.next_refresh())
    world.run("loyalty")
    lapsed, gold = ({"segment": name, "list": f"{name} too"} for name in ("LapsedCustomers", "LoyaltyGold"))
    world.save("small", display_name="Too small", segments=[lapsed], mapping=SIMPLE, max_profiles=1)
    world.run("small")
    world.save("marked", display_name=MARKUP, segments=[gold], mapping=SIMPLE, schedule={"on": "off"})
