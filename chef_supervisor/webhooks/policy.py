"""
Which callback addresses are taken when a job is submitted, and again at every try.

Whoever submits a job chooses the address and may be hostile: requests of ours must reach nobody but those whom the
operator has listed. Configured endpoints are the operator's own choice and are not judged here.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import attrs

from chef_supervisor.domain.delivery import ReceiverName
from chef_supervisor.domain.errors import Misconfigured, Unprocessable
from chef_supervisor.webhooks.target import BadUrl, Target, is_address, is_name, parse_target

_FIELD: Final = "callbackUrl"
_ANY: Final = "*."


def callback_name(host: str) -> ReceiverName:
    """Returns: the one name of all callbacks to that host."""
    return ReceiverName(f"callback.{host}")


@attrs.frozen
class CallbackRules:
    """
    The hosts that may be called back: exact names, and `*.suffix` for every name that ends so. None: no callbacks.

    `ports`: none but these; https alone is spoken. `hosts` must have come from `parse_hosts`.
    """

    hosts: tuple[str, ...] = ()
    ports: frozenset[int] = frozenset({443})

    def accept(self, url: str) -> Target:
        """
        Returns: where it leads. What the host's name stands for is looked at when it is connected to.

        Raises:
            Unprocessable: it is not taken; the sentence says what to send instead.
        """
        try:
            target = parse_target(url)
        except BadUrl as error:
            raise _invalid(str(error)) from None
        if target.scheme != "https":
            raise _invalid("must begin with https://")
        if target.is_address:
            raise _invalid("must have a host with a name, not an IP address")
        if "." not in target.host:
            raise _invalid("must have a host with a full name such as hooks.example.com")
        if target.port not in self.ports:
            raise _invalid(f"must have no port but {' or '.join(map(str, sorted(self.ports)))}")
        if not self._lists(target.host):
            raise Unprocessable("callback_not_allowed", _FIELD, self._refusal(target.host))
        return target

    def _lists(self, host: str) -> bool:
        return any(
            host.endswith(listed.removeprefix("*")) if listed.startswith(_ANY) else host == listed
            for listed in self.hosts
        )

    def _refusal(self, host: str) -> str:
        if not self.hosts:
            return "callbacks are switched off here; leave it out, or ask the operator to allow the host"
        return f"{host} is not among the hosts that may be called back here; ask the operator to allow it"


def parse_hosts(setting: str, texts: Iterable[str]) -> tuple[str, ...]:
    """
    Returns: the entries of an allow-list in lower case.

    Raises:
        Misconfigured: an entry is neither a full name nor `*.` and one.
    """
    hosts = tuple(text.strip().lower() for text in texts)
    faults = tuple(
        f"{setting}: {host[:100]!r} is no host to call back; write hooks.example.com, or *.example.com for all below it"
        for host in hosts
        if not _is_full_name(host.removeprefix(_ANY))
    )
    if faults:
        raise Misconfigured(faults)
    return hosts


def _is_full_name(host: str) -> bool:
    return "." in host and is_name(host) and not is_address(host)


def _invalid(sentence: str) -> Unprocessable:
    return Unprocessable("invalid_callback_url", _FIELD, sentence)
