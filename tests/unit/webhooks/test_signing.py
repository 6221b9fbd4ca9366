"""Signatures: the published vector, rotation, and secrets that are none."""

from __future__ import annotations

import base64
import hmac
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

from chef_supervisor.domain.errors import Bug, Misconfigured
from chef_supervisor.webhooks.signing import Secrets, parse_secrets

ONE = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = f"whsec_{base64.b64encode(bytes(range(64))).decode()}"


def test_the_published_example_is_signed_as_published() -> None:
    headers = parse_secrets("secrets", [ONE]).headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )

    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_while_secrets_rotate_each_of_them_signs() -> None:
    both = parse_secrets("secrets", [ONE, OTHER]).headers("evt_1", 7, b"{}")["webhook-signature"]

    alone = [parse_secrets("secrets", [text]).headers("evt_1", 7, b"{}")["webhook-signature"] for text in (ONE, OTHER)]
    assert both.split(" ") == alone
    assert len(set(alone)) == 2


def test_each_host_has_a_secret_of_its_own_for_each_secret() -> None:
    settings = parse_secrets("secrets", [ONE, OTHER])

    a, b = (settings.for_host(host).texts() for host in ("a.example.com", "b.example.com"))

    assert len({ONE, OTHER, *a, *b}) == 6
    # Whoever has a program of its own to make them finds this in docs/webhooks.md.
    key = base64.b64decode(ONE.removeprefix("whsec_"))
    expected = hmac.new(key, b"callback.a.example.com", "sha256").digest()
    assert a[0] == f"whsec_{base64.b64encode(expected).decode()}"
    assert parse_secrets("secrets", a) == settings.for_host("a.example.com")


@given(key=st.binary(min_size=24, max_size=64), at_s=st.integers(0, 4_000_000_000), body=st.text())
def test_any_body_is_signed_as_the_public_package_signs_it(key: bytes, at_s: int, body: str) -> None:
    text = f"whsec_{base64.b64encode(key).decode()}"

    signed = parse_secrets("secrets", [text]).headers("evt_1", at_s, body.encode())["webhook-signature"]

    assert signed == Webhook(text).sign("evt_1", datetime.fromtimestamp(at_s, UTC), body)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS*",
        "whsec_ MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n",
        "whsec_ééééMfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        f"whsec_{base64.b64encode(bytes(23)).decode()}",
        f"whsec_{base64.b64encode(bytes(65)).decode()}",
    ],
)
def test_what_is_no_secret_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        parse_secrets("webhooks.endpoints.ops.secrets", [ONE, text])

    (fault,) = refused.value.faults
    assert fault.startswith("webhooks.endpoints.ops.secrets: secret 2 must be whsec_ and the base64 of 24 to 64")
    assert "MfKQ" not in fault


@pytest.mark.parametrize("length", [24, 64])
def test_a_secret_has_24_to_64_bytes(length: int) -> None:
    text = f"whsec_{base64.b64encode(bytes(length)).decode()}"

    assert parse_secrets("secrets", [text]).keys == (bytes(length),)


def test_a_receiver_without_a_secret_is_refused() -> None:
    with pytest.raises(Misconfigured, match="is empty"):
        parse_secrets("secrets", [])
    with pytest.raises(ValueError, match="keys"):
        Secrets(())


def test_secrets_do_not_show_when_they_are_printed() -> None:
    assert repr(parse_secrets("secrets", [ONE])) == "Secrets()"


def test_an_id_that_could_be_another_one_is_not_signed() -> None:
    with pytest.raises(Bug):
        parse_secrets("secrets", [ONE]).headers("evt_1.2", 3, b"{}")
