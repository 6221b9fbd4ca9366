"""From a host to the addresses that may be connected to, checked at every try."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from typing import Final

import attrs

from chef_supervisor.webhooks.no_answer import NoAnswer
from chef_supervisor.webhooks.resolving import Resolver
from chef_supervisor.webhooks.target import Target

# A host with more is served by any of these.
_MOST_ADDRESSES: Final = 4
# Each is judged, which takes the kernel's word and the event loop's time; nobody needs so many.
_MOST_JUDGED: Final = 64


@attrs.frozen
class Pinned:
    """`may_connect` judges each address; a host with one that is refused is refused as a whole."""

    resolver: Resolver
    may_connect: Callable[[str], bool]

    async def addresses(self, target: Target) -> Sequence[str]:
        """
        Returns: at most four addresses, those to be tried first in front; never none.

        Raises:
            NoAnswer: the name is not known, one of its addresses may not be connected to, or it has more than 64.
        """
        try:
            found = await self.resolver.resolve(target.host, target.port)
        except socket.gaierror as error:
            unknown = error.errno in {socket.EAI_NONAME, socket.EAI_NODATA}
            raise NoAnswer("unknown_host" if unknown else "dns_failed") from None
        if len(found) > _MOST_JUDGED or not all(map(self.may_connect, found)):
            raise NoAnswer("refused_by_policy")
        # With a zone (fe80::1%eth0) no URL can be made.
        usable = [address for address in found if "%" not in address]
        if not usable:
            raise NoAnswer("unknown_host")
        return usable[:_MOST_ADDRESSES]
