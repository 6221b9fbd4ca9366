"""Which addresses a callback may connect to."""

from __future__ import annotations

import ipaddress
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chef_supervisor.webhooks import addresses
from chef_supervisor.webhooks.addresses import is_own, is_public, may_be_called

NOT_PUBLIC = [
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.9",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "168.63.129.16",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::808:808",
    "100::1",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:2::1",
    "2001:10::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:808:808::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%lo",
    "2606:4700::1111%lo",
    "fec0::1",
    "ff02::1",
    "",
    "localhost",
    "127.1",
    "0x7f000001",
    "8.8.8.8/32",
]


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_of_no_machine_on_the_internet_is_refused(address: str) -> None:
    assert not is_public(address)
    assert not may_be_called(address)


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "172.32.0.1", "168.63.129.17", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"],
)
def test_an_address_on_the_internet_is_taken(address: str) -> None:
    assert is_public(address)


@given(st.ip_addresses(v=4))
def test_an_address_is_judged_the_same_in_whatever_it_is_wrapped(address: ipaddress.IPv4Address) -> None:
    wrapped = [
        f"::ffff:{address}",
        str(ipaddress.IPv6Address(int(ipaddress.IPv6Address("64:ff9b::")) | int(address))),
    ]

    assert [is_public(text) for text in wrapped] == [is_public(str(address))] * 2


@given(st.ip_addresses(v=4) | st.ip_addresses(network="2000::/3"))
def test_nothing_is_taken_that_the_standard_library_calls_special(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    special = address.is_private or address.is_multicast or address.is_reserved or address.is_loopback

    assert not is_public(str(address)) or not (special or address.is_link_local or address.is_unspecified)


@given(st.ip_addresses(v=6))
def test_nothing_is_taken_outside_of_what_is_given_out(address: ipaddress.IPv6Address) -> None:
    translated = address.ipv4_mapped is not None or address in ipaddress.ip_network("64:ff9b::/96")

    assert address in ipaddress.ip_network("2000::/3") or translated or not is_public(str(address))


@given(st.ip_addresses(network="2002::/16") | st.ip_addresses(network="2001::/32"))
def test_no_tunnel_is_taken(address: ipaddress.IPv6Address) -> None:
    assert not is_public(str(address))


def test_an_address_of_this_machine_is_its_own() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("127.0.0.2", 9))
        own = probe.getsockname()[0]

    assert is_own("127.0.0.1")
    assert is_own(own)
    assert not is_own("8.8.8.8")


def test_a_public_address_of_this_machine_is_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "is_public", lambda _: True)

    assert not may_be_called("127.0.0.1")
    assert may_be_called("8.8.8.8")
