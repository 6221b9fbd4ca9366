"""Secrets are sealed before they reach Redis, and opened by whoever has the key."""

from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest

from chef_supervisor.domain.errors import Misconfigured, SecretsUnreadable
from chef_supervisor.sealing import Sealer, sealing_key

RAW = bytes(range(250, 256)) * 5 + b"ab"


def test_what_was_sealed_is_opened_and_tells_nothing_before() -> None:
    sealer = Sealer(sealing_key(base64.b64encode(RAW).decode(), Path("/nowhere")))

    sealed = sealer.seal({"NPM_TOKEN": "hunter22"})

    assert sealer.open(sealed) == {"NPM_TOKEN": "hunter22"}
    assert b"NPM" not in sealed
    assert b"hunter22" not in base64.urlsafe_b64decode(sealed)
    assert len(sealed) == len(sealer.seal({"A": "b"}))
    assert sealed != sealer.seal({"NPM_TOKEN": "hunter22"})


def test_nothing_sealed_is_nothing() -> None:
    assert Sealer(sealing_key(base64.b64encode(RAW).decode(), Path("/nowhere"))).open(b"") == {}


def test_another_key_opens_nothing_and_says_what_to_do(tmp_path: Path) -> None:
    ours, theirs = Sealer(sealing_key("", tmp_path / "a")), Sealer(sealing_key("", tmp_path / "b"))

    with pytest.raises(SecretsUnreadable, match="give every API and worker process the same CHEF_SECRETS_KEY"):
        theirs.open(ours.seal({"A": "b"}))


def test_what_was_changed_on_its_way_is_not_opened(tmp_path: Path) -> None:
    sealer = Sealer(sealing_key("", tmp_path))
    sealed = bytearray(sealer.seal({"A": "b"}))
    sealed[40] ^= 1

    with pytest.raises(SecretsUnreadable):
        sealer.open(bytes(sealed))


def test_the_key_of_a_state_folder_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    first = sealing_key("", tmp_path / "state")

    assert sealing_key("", tmp_path / "state") == first
    assert stat.S_IMODE((tmp_path / "state" / "secrets.key").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "state").iterdir()] == ["secrets.key"]


@pytest.mark.parametrize("alphabet", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_key_is_taken_in_either_alphabet_of_base64(alphabet: object) -> None:
    assert callable(alphabet)

    assert sealing_key(f" {alphabet(RAW).decode()}\n", Path("/nowhere")) == base64.urlsafe_b64encode(RAW)


@pytest.mark.parametrize("key", ["short", "!" * 44, base64.b64encode(b"a" * 31).decode(), "é" * 44])
def test_what_is_no_key_is_refused_without_being_told(key: str) -> None:
    with pytest.raises(Misconfigured, match="must be 32 bytes in base64") as caught:
        sealing_key(key, Path("/nowhere"))

    assert key not in str(caught.value)


def test_a_state_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(Misconfigured, match="CHEF_STATE_DIR"):
        sealing_key("", tmp_path / "file" / "state")
