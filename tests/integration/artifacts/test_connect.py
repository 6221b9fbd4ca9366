"""From an address to a store, or to a sentence that says what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest
from obstore.store import LocalStore, S3Store

from chef_supervisor.artifacts.connect import connect
from chef_supervisor.domain.errors import Misconfigured


def test_without_an_address_it_is_a_folder_that_nobody_else_reads(tmp_path: Path) -> None:
    store = connect("", tmp_path / "state" / "artifacts")

    assert isinstance(store, LocalStore)
    assert store.prefix == tmp_path / "state" / "artifacts"
    assert (tmp_path / "state" / "artifacts").stat().st_mode & 0o777 == 0o700


def test_a_folder_may_be_named(tmp_path: Path) -> None:
    store = connect(f"file://{tmp_path}/here", tmp_path / "not here")

    assert isinstance(store, LocalStore)
    assert store.prefix == tmp_path / "here"
    assert not (tmp_path / "not here").exists()


def test_a_bucket_is_not_asked_anything_yet(tmp_path: Path) -> None:
    store = connect("s3://bucket/prefix", tmp_path)

    assert isinstance(store, S3Store)
    assert store.prefix == "prefix"


@pytest.mark.parametrize(
    "url", ["nonsense", "ftp://host/x", "s3://", "https://host/x", "file:///proc/nowhere", "file://x"]
)
def test_what_is_no_store_is_refused_with_its_name(tmp_path: Path, url: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        connect(url, tmp_path)

    [fault] = caught.value.faults
    assert fault.startswith(f"CHEF_ARTIFACTS_URL={url!r}: ")
    assert "\n" not in fault
