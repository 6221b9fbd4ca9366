"""Hosts for the callbacks of a service in a process of its own: names, addresses and certificates as a test says."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import attrs

from tests.kit.faulty_service import connected
from tests.kit.hook_kit import CALLBACK_SECRET, LOOPBACK, Authority
from tests.kit.raw_web import Answering
from tests.kit.receiving import Receiving, receiving


@attrs.define(eq=False)
class Internet:
    """
    `folder`: where the service reads what there is. `deadline_s`: of each request that tells of an end, in place of the
    service's own. That and the hosts are fixed when the service starts; names and certificates may change.
    """

    folder: Path
    deadline_s: float | None = None
    _authority: Authority = attrs.field(factory=Authority)
    _names: dict[str, list[str]] = attrs.field(factory=dict)
    _ports: list[int] = attrs.field(factory=list)
    _contexts: dict[str, ssl.SSLContext] = attrs.field(factory=dict)

    @contextmanager
    def hosts(self, answers: Mapping[str, Answering]) -> Iterator[dict[str, Receiving]]:
        """Serve each of those names, over TLS, while the context lasts."""
        with ExitStack() as stack:
            made: dict[str, Receiving] = {}
            for host, answering in answers.items():
                self._contexts[host] = self._authority.server(host)
                made[host] = stack.enter_context(receiving(answering, self._contexts[host]))
                self.listen(host, made[host].web.port)
            yield made

    def listen(self, host: str, port: int) -> None:
        """Have a name that leads to what listens on that port."""
        self._ports.append(port)
        self.name(host, LOOPBACK)

    def name(self, host: str, *addresses: str) -> None:
        """Have the name stand for these from now on; with none nobody knows it."""
        self._names[host] = list(addresses)
        told = {"names": self._names, "ports": self._ports, "deadline_s": self.deadline_s}
        new = self._file.with_suffix(".new")
        new.write_text(json.dumps(told))
        # Whoever reads it reads the one or the other.
        new.replace(self._file)

    def certify(self, host: str, *, expired: bool = False) -> None:
        """Have the host show a new certificate from now on."""
        self._authority.certify(self._contexts[host], host, expired=expired)

    def module(self) -> tuple[str, ...]:
        """Returns: what `service.started` takes as its module."""
        return connected(self._file)

    def env(self) -> dict[str, str]:
        """Returns: the settings of a service that calls these hosts back."""
        authorities = self.folder / "authorities.pem"
        self._authority.ca.cert_pem.write_to_path(str(authorities))
        return {
            "CHEF_WEBHOOKS_CALLBACK_HOSTS": "*.example.com",
            "CHEF_WEBHOOKS_CALLBACK_SECRETS": CALLBACK_SECRET,
            "SSL_CERT_FILE": str(authorities),
        }

    @property
    def _file(self) -> Path:
        return self.folder / "internet.json"
