"""`submit` in surroundings that nobody hopes for: the exit code is still the one that says how much is known."""

from __future__ import annotations

import hashlib
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result

from chef_supervisor.cli import chef_supervisor, submission
from tests.kit.fake_service import found
from tests.unit.cli.cli_kit import PASSED, end, id_of, make_house


def submit_to_the_network(folder: Path, *argv: str, **env: str) -> Result:
    """Returns: what came of it, with a client as it is."""
    (folder / "a.py").write_text("")
    words = ["submit", str(folder), "--type", "test", "--patience", "0", *argv]
    return CliRunner().invoke(chef_supervisor, words, env={"CHEF_URL": "http://127.0.0.1:9", **env})


@pytest.mark.parametrize(
    ("name", "value"),
    [("ALL_PROXY", "socks5://127.0.0.1:9"), ("ALL_PROXY", "gopher://127.0.0.1:9"), ("SSL_CERT_FILE", "/no/where")],
)
def test_an_environment_that_no_client_can_use_is_wrong_usage(tmp_path: Path, name: str, value: str) -> None:
    told = submit_to_the_network(tmp_path, **{name: value})

    assert told.exit_code == 2
    assert "the proxies or certificates that the environment names cannot be used" in told.stderr


def test_a_port_that_is_none_is_wrong_usage(tmp_path: Path) -> None:
    told = submit_to_the_network(tmp_path, "--url", "http://127.0.0.1:99999")

    assert told.exit_code == 2
    assert "'http://127.0.0.1:99999' is no address of a service" in told.stderr


@pytest.mark.parametrize(
    "url", ["http://me:s3cret@127.0.0.1:9", "ftp://me:s3cret@127.0.0.1", "http://me:s3cret@x:99999"]
)
def test_a_password_of_the_address_is_never_told(tmp_path: Path, url: str) -> None:
    told = submit_to_the_network(tmp_path, "--url", url)

    assert told.exit_code in {2, 3}
    assert "s3cret" not in told.output


@pytest.mark.parametrize(
    "words", [("--timeout", "nan"), ("--timeout", "inf"), ("--patience", "nan"), ("--max-wait", "nan")]
)
def test_what_is_no_number_of_seconds_is_wrong_usage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    house = make_house(tmp_path, monkeypatch)

    told = house.submit("--type", "test", *words)

    assert told.exit_code == 2
    assert "give a number of seconds" in told.stderr
    assert house.service.heard == []


def test_a_priority_of_thousands_of_digits_is_the_services_to_refuse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = make_house(tmp_path, monkeypatch, test=end("test", "completed", PASSED))

    house.submit("--type", "test", "--priority", "9" * 5000)

    assert b'"priority":"9999' in house.service.heard[0].content


def test_a_fault_of_ours_is_no_failed_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = make_house(tmp_path, monkeypatch)

    async def faulty(self: submission.Submission, project: object) -> None:
        raise LookupError("the fault")

    monkeypatch.setattr(submission.Submission, "run", faulty)
    told = house.submit("--type", "test")

    assert told.exit_code == 3
    assert "LookupError: the fault" in told.stderr


def test_an_answer_that_was_spoilt_on_its_way_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = make_house(tmp_path, monkeypatch)
    spoilt = {"content-encoding": "gzip"}
    house.service.rules["POST", "/api/jobs"] = lambda _: httpx.Response(
        201, headers=spoilt, stream=httpx.ByteStream(b"no gzip")
    )

    told = house.submit("--type", "test")

    assert told.exit_code == 3
    assert "Traceback" not in told.stderr


def test_what_the_output_has_no_letters_for_is_told_with_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = make_house(tmp_path, monkeypatch, test=end("test", "completed", found("passed", message="é 日本")))
    words = ["submit", str(tmp_path), "--type", "test"]

    told = CliRunner(charset="latin-1").invoke(chef_supervisor, words, env={"CHEF_URL": "http://service"})

    assert house.service.heard
    assert told.exit_code == 0
    assert "test: é \\u65e5\\u672c" in told.stdout


def test_a_type_that_the_service_made_up_names_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    folder.mkdir()
    ends = {kind: {**end(kind, "completed", PASSED), "type": str(elsewhere)} for kind in ("build", "test")}
    house = make_house(folder, monkeypatch, **ends)
    queued = house.queue

    def lying(request: httpx.Request) -> httpx.Response:
        return httpx.Response(201, json={**queued(request).json(), "type": str(elsewhere)})

    house.service.rules["POST", "/api/jobs"] = lying
    made = {"path": "authorized_keys", "bytes": 1, "sha256": hashlib.sha256(b"k").hexdigest()}
    for kind in ends:
        base = f"/api/jobs/{id_of(kind)}/artifacts"
        house.service.rules["GET", base] = lambda _: httpx.Response(200, json={"artifacts": [made]})
        house.service.rules["GET", f"{base}/authorized_keys"] = lambda _: httpx.Response(200, content=b"k")

    told = house.submit("--type", "build,test", "--artifacts", str(tmp_path / "out"))

    assert told.exit_code == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["build", "test"]
    assert not elsewhere.exists()
