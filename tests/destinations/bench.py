"""What a destination's tests must offer so that the contract can be held to it: its sandbox, and hands on what it holds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

from shared.delivery.account import Account
from shared.delivery.destination import Destination


class Bench(ABC):
    """A destination's sandbox: an account to work on, a look at what it truly holds, and what goes wrong on request."""

    destination: Destination

    @abstractmethod
    def account(self, key: str | None = None) -> Account:
        """Open the account, with the key that it takes or with another one."""

    @abstractmethod
    def contact(self, address: str, first_name: str) -> Mapping[str, Any]:
        """Return a contact as planning would compose it."""

    @abstractmethod
    def first_names(self) -> Mapping[str, str | None]:
        """Return the first name of every contact that the account holds, by address."""

    def first_name(self, address: str) -> str | None:
        """Return the first name that the account holds, None if there is no such contact."""
        return self.first_names().get(address)

    @abstractmethod
    def members(self, list_id: str) -> set[str]:
        """Return the addresses of those on a list."""

    @abstractmethod
    def delete_contact(self, address: str) -> None:
        """Delete a contact, as a person does in the product."""

    @abstractmethod
    def delete_list(self, list_id: str) -> None:
        """Delete a list, as a person does in the product."""

    @abstractmethod
    def refused(self, number: int) -> str:
        """Return an address that the account refuses."""

    @abstractmethod
    def leaving_out(self) -> AbstractContextManager[None]:
        """Have calls that send contacts accept them all but some, which they do not take and do not name."""

    @abstractmethod
    def losing_answers(self) -> AbstractContextManager[None]:
        """Have calls done, and half of them answered with nothing."""

    @abstractmethod
    def throttling(self) -> AbstractContextManager[None]:
        """Have some calls answered that they come too fast, and not done."""


def email(number: int) -> str:
    return f"p{number}@example.com"
