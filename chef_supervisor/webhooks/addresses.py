"""
Which IP addresses callbacks may connect to: those of other people's machines on the internet, and no others.

`ipaddress.is_global` is not enough: it holds for multicast, translated and tunnelled addresses, and for some that
clouds give a meaning of their own.
"""

from __future__ import annotations

import ipaddress
import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final

# Source: IANA IPv4 Special-Purpose Address Registry (RFC 6890 and its successors), multicast and reserved space.
_DENIED_V4: Final = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        # with 192.0.0.192, which a cloud answers its own machines on
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        # the wire server of Azure, which answers its own machines
        "168.63.129.16/32",
    )
)
# All that is given out as global unicast (RFC 4291, IANA IPv6 address space); the rest is local, multicast or unused.
_UNICAST_V6: Final = IPv6Network("2000::/3")
_DENIED_V6: Final = tuple(
    IPv6Network(text)
    for text in (
        # protocol assignments, with Teredo (2001::/32), which holds two IPv4 addresses
        "2001::/23",
        "2001:db8::/32",
        # 6to4, which holds an IPv4 address; relays for it are gone (RFC 7526)
        "2002::/16",
        "2620:4f:8000::/48",
        "3fff::/20",
    )
)
# What a network without IPv4 of its own reaches IPv4 by (RFC 6052); the last 32 bits are judged.
_NAT64: Final = IPv6Network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Whether it is an address of a single machine on the internet; False where it is none that can be read."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return _is_public_v4(parsed) if isinstance(parsed, IPv4Address) else _is_public_v6(parsed)


def _is_public_v4(address: IPv4Address) -> bool:
    return address.is_global and not any(address in network for network in _DENIED_V4)


def _is_public_v6(address: IPv6Address) -> bool:
    # fe80::1%eth0 and its like: networks take no notice of the zone, the kernel does.
    if address.scope_id is not None:
        return False
    if address.ipv4_mapped is not None:
        return _is_public_v4(address.ipv4_mapped)
    if address in _NAT64:
        return _is_public_v4(IPv4Address(int(address) & 0xFFFF_FFFF))
    return address in _UNICAST_V6 and address.is_global and not any(address in network for network in _DENIED_V6)


def is_own(address: str) -> bool:
    """
    Whether this machine has it on an interface. To its own addresses the kernel sends from the same address; nothing is
    sent to find that out.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address, 443))
            return bool(probe.getsockname()[0] == address)
    except OSError:
        # No way leads there, so nothing of ours is there.
        return False


def may_be_called(address: str) -> bool:
    """Whether a callback may connect to it."""
    return is_public(address) and not is_own(address)
