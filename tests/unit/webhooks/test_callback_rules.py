"""Which addresses may be given to be called back."""

from __future__ import annotations

import contextlib
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chef_supervisor.domain.errors import Misconfigured, Unprocessable
from chef_supervisor.webhooks.policy import CallbackRules, callback_name, parse_hosts

RULES = CallbackRules(parse_hosts("callbacks.hosts", ["hooks.example.com", "*.Convex.Site"]))


def refusal_of(url: str, rules: CallbackRules = RULES) -> tuple[str, str]:
    with pytest.raises(Unprocessable) as refused:
        rules.accept(url)
    assert refused.value.path == "callbackUrl"
    return refused.value.code, refused.value.detail


@pytest.mark.parametrize(
    ("url", "host", "path"),
    [
        ("https://hooks.example.com", "hooks.example.com", "/"),
        ("https://hooks.example.com?a=b", "hooks.example.com", "/?a=b"),
        ("HTTPS://Hooks.Example.COM:443/a/b;c=%C3%A9?x=[1]&y='*'", "hooks.example.com", "/a/b;c=%C3%A9?x=[1]&y='*'"),
        ("https://happy-animal-123.convex.site/jobs", "happy-animal-123.convex.site", "/jobs"),
        ("https://a_1.b.convex.site/", "a_1.b.convex.site", "/"),
        ("https://xn--nxasmq6b.convex.site/", "xn--nxasmq6b.convex.site", "/"),
    ],
)
def test_a_listed_host_is_taken_apart_once_and_for_all(url: str, host: str, path: str) -> None:
    target = RULES.accept(url)

    assert (target.scheme, target.host, target.port, target.path) == ("https", host, 443, path)
    assert target.host_header == host
    assert callback_name(target.host) == f"callback.{host}"


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://hooks.example.com/", "must begin with https://"),
        ("ftp://hooks.example.com/", "must be an address such as"),
        ("//hooks.example.com/", "must be an address such as"),
        ("hooks.example.com", "must be an address such as"),
        ("", "must be an address such as"),
        ("https:/hooks.example.com", "must be an address such as"),
        ("https://hooks.example.com:8443/", "must have no port but 443"),
        ("https://hooks.example.com:0/", "must have a port of 1 to 65535"),
        ("https://hooks.example.com:99999/", "must have a port of 1 to 65535"),
        ("https://hooks.example.com:+443/", "must have a port of 1 to 65535"),
        ("https://hooks.example.com:/", "must have a port of 1 to 65535"),
        ("https://user@hooks.example.com/", "must have no user or password"),
        ("https://u:p@hooks.example.com/", "must have no user or password"),
        ("https://hooks.example.com@evil.example/", "must have no user or password"),
        ("https://hooks.example.com/#a", "must have no fragment"),
        ("https://hooks.example.com#@evil.example/", "must have no fragment"),
        ("https://hooks.example.com/" + "a" * 2023, "must have at most 2048 characters"),
        ("https://hooks.example.com/a b", "must have only characters"),
        ("https://hooks.example.com/a\n", "must have only characters"),
        ("https://hooks.example.com/a\r\nX: y", "must have only characters"),
        ("https://hooks.example.com/\x00", "must have only characters"),
        ("https://evil.example\\@hooks.example.com/", "must have only characters"),
        ("https://hooks。example。com/", "must have only characters"),
        ("https://hooks.example.com./", "must have a host that is a name"),
        ("https://.hooks.example.com/", "must have a host that is a name"),
        ("https:///path", "must have a host that is a name"),
        ("https://a,b.convex.site/", "must have a host that is a name"),
        ("https://-a.convex.site/", "must have a host that is a name"),
        ("https://%31.convex.site/", "must have a host that is a name"),
        ("https://" + "a" * 64 + ".convex.site/", "must have a host that is a name"),
        ("https://" + "a." * 125 + "convex.site/", "must have a host that is a name"),
        ("https://localhost/", "must have a host with a full name"),
        ("https://127.0.0.1/", "not an IP address"),
        ("https://[::1]/", "not an IP address"),
        ("https://[::ffff:127.0.0.1]/", "not an IP address"),
        ("https://[fe80::1%25eth0]/", "must have a host that is a name"),
        ("https://[hooks.example.com]/", "must have a host that is a name"),
        ("https://127.1/", "must have a host that is a name"),
        ("https://2130706433/", "must have a host that is a name"),
        ("https://0x7f000001/", "must have a host that is a name"),
        ("https://0x7f.1/", "must have a host that is a name"),
        ("https://0177.0.0.1/", "must have a host that is a name"),
        ("https://1.2.3.0x/", "must have a host that is a name"),
    ],
)
def test_anything_else_is_refused_with_a_sentence(url: str, sentence: str) -> None:
    code, detail = refusal_of(url)

    assert code == "invalid_callback_url"
    assert sentence in detail


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "convex.site",
        "evilconvex.site",
        "hooks.example.com.evil.example",
        "a.hooks.example.com",
        "example.com",
    ],
)
def test_a_host_that_is_not_listed_is_refused_by_name(host: str) -> None:
    assert refusal_of(f"https://{host}/") == (
        "callback_not_allowed",
        f"{host} is not among the hosts that may be called back here; ask the operator to allow it",
    )


def test_without_a_list_callbacks_are_off() -> None:
    code, detail = refusal_of("https://hooks.example.com/", CallbackRules())

    assert code == "callback_not_allowed"
    assert detail.startswith("callbacks are switched off here")


def test_the_operator_may_list_other_ports() -> None:
    rules = CallbackRules(("hooks.example.com",), frozenset({443, 8443}))

    assert rules.accept("https://hooks.example.com:8443/").host_header == "hooks.example.com:8443"
    assert refusal_of("https://hooks.example.com:80/", rules)[1] == "must have no port but 443 or 8443"


@pytest.mark.parametrize(
    "entry",
    [
        "*",
        "*.",
        "*.com",
        "",
        "localhost",
        "10.0.0.1",
        "*.0.1",
        "https://a.example",
        "a.example:443",
        "a.*.example",
        "a.b.",
    ],
)
def test_an_entry_that_lists_no_host_or_too_many_is_refused(entry: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        parse_hosts("CHEF_CALLBACKS_HOSTS", ["hooks.example.com", entry])

    (fault,) = refused.value.faults
    assert fault.startswith(f"CHEF_CALLBACKS_HOSTS: {entry!r} is no host to call back; write ")


@given(st.text(string.printable + "é\u3002\x00", max_size=60))
def test_whatever_is_given_nothing_but_a_listed_host_comes_out(text: str) -> None:
    for url in (text, f"https://{text}", f"https://hooks.example.com{text}", f"https://{text}.convex.site/{text}"):
        with contextlib.suppress(Unprocessable):
            target = RULES.accept(url)
            assert target.host == "hooks.example.com" or target.host.endswith(".convex.site")
            assert target.port == 443
            assert target.path.isprintable()
