"""What the vault refuses is said with what helps: 403 has several causes, and only one of them is a missing role."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, cast

import pytest
from azure.core.exceptions import HttpResponseError

from shared.azure.vault import Vault
from shared.reasons.codes import Reason
from shared.reasons.errors import ExportError

ROLE = "the role Key Vault Secrets"
FIREWALL = "firewall"


def vault(cause: str) -> Vault:
    """Return a vault that refuses everything for this cause, as Key Vault says it."""
    inner = {"innererror": {"code": cause}} if cause else {}
    text = json.dumps({"error": {"code": "Forbidden", "message": "Caller: appid=1; address=203.0.113.7", **inner}})
    response: Any = SimpleNamespace(status_code=403, reason="Forbidden", text=lambda encoding=None: text)

    def refuse(*_: object) -> None:
        raise HttpResponseError(response=response)

    return Vault(cast("Any", SimpleNamespace(get_secret=refuse, set_secret=refuse)))


@pytest.mark.parametrize(
    ("cause", "said", "unsaid"),
    [
        ("SecretDisabled", "Its newest version is disabled", (ROLE, FIREWALL)),
        ("ForbiddenByFirewall", "The vault's firewall keeps the app out", (ROLE,)),
        ("ForbiddenByConnection", "The vault's firewall keeps the app out", (ROLE,)),
        ("ForbiddenByRbac", ROLE, (FIREWALL,)),
        ("somebody's words", ROLE, ("somebody",)),
        ("", FIREWALL, ()),
    ],
)
@pytest.mark.parametrize("ask", [lambda vault: vault.read("main"), lambda vault: vault.write("main", "k")])
def test_a_refusal_says_its_cause_and_what_helps(cause: str, said: str, unsaid: tuple[str, ...], ask: Any) -> None:
    with pytest.raises(ExportError) as end:
        ask(vault(cause))
    assert end.value.reason is Reason.KEY_MISSING
    assert said in end.value.detail
    assert [word for word in (*unsaid, "203.0.113.7") if word in end.value.detail] == []
