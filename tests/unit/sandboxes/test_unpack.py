"""The program that unpacks archives, on folders of this machine: what becomes a file, what is left out or refused."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from chef_supervisor.sandboxes.agent import unpack as program
from chef_supervisor.sandboxes.agent.unpack.entries import BadArchive
from chef_supervisor.sandboxes.agent.unpack.main import unpack
from chef_supervisor.sandboxes.agent.unpack.places import ARCHIVE, REPORT
from chef_supervisor.sandboxes.agent.unpack.rules import Limits
from tests.kit import archives
from tests.kit.archives import entry, tar, zipped

LIMITS = Limits(max_files=5, max_file_bytes=1000, max_total_bytes=3000)
PROJECT = {"package.json": b"{}", "src/é.ts": b"export {}", "bytes.bin": bytes(range(256))}


def unpacked(folder: Path, archive: bytes) -> tuple[dict[str, bytes], list[str]]:
    """Returns: the files at the top of the workspace, and the warnings."""
    (folder / ".chef").mkdir()
    (folder / ARCHIVE).write_bytes(archive)
    count, warnings = unpack(str(folder), LIMITS)
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    files = {path: content for path, content in files.items() if not path.startswith(".chef/")}
    assert count == len(files)
    return files, warnings


@pytest.mark.parametrize(
    "archive",
    [
        pytest.param(tar(PROJECT), id="tar.gz"),
        pytest.param(tar(PROJECT, compress=False), id="tar"),
        pytest.param(zipped(PROJECT), id="zip"),
        pytest.param(tar({f"./{name}": content for name, content in PROJECT.items()}), id="tar of a dot"),
        pytest.param(tar({f"repo-main/{name}": content for name, content in PROJECT.items()}), id="one folder around"),
        pytest.param(zipped({f"repo-main/{name}": content for name, content in PROJECT.items()}), id="zip of a folder"),
        pytest.param(
            tar({f"{'long' * 30}/{name}": content for name, content in PROJECT.items()}), id="long names of folders"
        ),
    ],
)
def test_files_come_out_as_they_were_packed(tmp_path: Path, archive: bytes) -> None:
    files, warnings = unpacked(tmp_path, archive)

    assert files == PROJECT
    assert warnings == []


def test_names_that_a_zip_has_in_utf8_without_saying_so_are_understood(tmp_path: Path) -> None:
    files, _ = unpacked(tmp_path, archives.raw_zip_name("grüße.txt".encode()))

    assert files == {"grüße.txt": b"x"}


def test_one_folder_of_a_project_with_files_beside_it_stays(tmp_path: Path) -> None:
    files, _ = unpacked(tmp_path, tar({"src/a": b"", "b": b""}))

    assert set(files) == {"src/a", "b"}


def test_a_hidden_folder_is_never_taken_for_the_one_around_a_project(tmp_path: Path) -> None:
    files, _ = unpacked(tmp_path, tar({".github/workflows/ci.yml": b""}))

    assert set(files) == {".github/workflows/ci.yml"}


def test_what_is_no_part_of_a_project_is_left_out_and_counted(tmp_path: Path) -> None:
    packed = {"p/a": b"a", "p/.DS_Store": b"", "__MACOSX/p/._a": b"", "p/.git/HEAD": b"", "p/.git/config": b""}
    junk = {f"p/x/node_modules/{number}": bytes(2000) for number in range(10)} | {"p/x/node_modules/y/": b""}

    files, warnings = unpacked(tmp_path, zipped(packed | junk))

    assert files == {"a": b"a"}
    assert warnings == [
        "1 file of the archive left out: .DS_Store is no part of a project",
        "2 files of the archive left out: .git is no part of a project",
        "1 file of the archive left out: __MACOSX is no part of a project",
        "10 files of the archive left out: node_modules is no part of a project",
    ]


def test_links_are_left_out_and_never_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    box = tmp_path / "box"
    box.mkdir()
    links = (
        entry("out", type=archives.LINK, linkname=str(outside)),
        entry("again", type=archives.HARD_LINK, linkname="a"),
    )
    # Two tars in one, without the blocks of zeros that end the first.
    first = tar({"a": b"a"}, *links, compress=False)[: 4 * 512]

    files, warnings = unpacked(box, first + tar({"out/file": b"x"}, compress=False))

    assert files == {"a": b"a", "out/file": b"x"}
    assert list(outside.iterdir()) == []
    assert warnings == ["left out of the archive: 2 links, such as 'out'; only files are taken"]


@pytest.mark.parametrize("name", ["a", "p/a"])
def test_a_link_in_a_zip_is_left_out_too(tmp_path: Path, name: str) -> None:
    files, warnings = unpacked(tmp_path, archives.zip_link(name, "/etc/passwd"))

    assert files == {"a.txt": b"a"}
    assert warnings == [f"left out of the archive: the link '{name}'; only files are taken"]


BAD = {
    "parent": (tar({"../x": b""}), "'../x' leads out of the project"),
    "parent inside": (tar({"a/../../x": b""}), "'a/../../x' leads out"),
    "absolute": (tar({"/etc/x": b""}), "'/etc/x' is an absolute path"),
    "drive": (zipped({"C:/x": b""}), "'C:/x' is an absolute path"),
    "backslash": (tar({"a\\..\\x": b""}), "'a\\\\..\\\\x' has a \\ or NUL"),
    "zip parent": (zipped({"../x": b""}), "'../x' leads out of the project"),
    "junk outside": (tar({"../node_modules/x": b""}), "leads out"),
    "reserved": (tar({".chef/run": b"", "a": b""}), "'.chef/run' has a name that no file"),
    "reserved below the top": (tar({"p/.chef/unpacked.json": b"{}", "p/a": b""}), "'p/.chef/unpacked.json' has a name"),
    "control": (tar({"a\nb": b""}), "'a\\nb' has a name"),
    "bidi": (zipped({"a\u202eb": b""}), "'a\\u202eb' has a name"),
    "long name": (tar({"n" * 256: b""}), "has a name"),
    "deep": (tar({"d/" * 20 + "x": b""}), "has a name"),
    "device": (tar({}, entry("dev/null", type=archives.DEVICE)), "'dev/null' is no file, folder or link"),
    "pipe": (tar({}, entry("pipe", type=archives.FIFO)), "'pipe' is no file"),
    "zip device": (zipped({"dev": b""}, external_attr=0o020666 << 16), "'dev' is no file"),
    "not utf-8": (tar({"a\udcff": b""}), "the name 'a\\udcff' is not UTF-8"),
    "zip not utf-8": (archives.raw_zip_name(b"gr\x81\x9f"), "is not UTF-8"),
    "twice": (archives.twice("a"), "'a' is there twice"),
    "zip twice": (archives.zip_of_two("a"), "'a' is there twice"),
    "case": (tar({"README": b"", "readme": b""}), "'readme' and 'README' differ only in case"),
    "unicode forms": (tar({"\u00e9": b"", "e\u0301": b""}), "differ only in case or in Unicode form"),
    "file and folder": (tar({"a": b"", "a/b": b""}), "'a' is both a file and a folder"),
    "folder and file": (tar({"a/b": b"", "a": b""}), "'a' is both a file and a folder"),
    "empty": (tar({}), "there is no file in it"),
    "only folders": (tar({}, entry("a", type=archives.FOLDER)), "there is no file in it"),
    "only junk": (tar({"node_modules/x": b""}), "there is no file in it"),
    "too many": (tar({str(number): b"" for number in range(6)}), "more than 5 files (files.max_files), the first one"),
    "too large": (tar({"big": bytes(1001)}), "'big' has more than 1000 bytes (files.max_file_bytes)"),
    "zip too large": (zipped({"big": bytes(1001)}), "'big' has more than 1000 bytes"),
    "too much": (tar({str(number): bytes(1000) for number in range(4)}), "more than 3000 bytes in all"),
    "sparse": (archives.sparse("hole", 1 << 40), "'hole' has more than 1000 bytes"),
    "claims": (archives.claiming("big", 1 << 40, zeros=512), "'big' has more than 1000 bytes"),
    "encrypted": (archives.encrypted("secret.txt"), "'secret.txt' is encrypted"),
    "ends early": (tar(PROJECT)[:-12], "is broken or ends early"),
    "content ends early": (archives.claiming("a", 900, zeros=512), "cannot be read"),
    "no tar": (gzip.compress(b"what is this" * 100), "is broken or ends early"),
    "broken header": (
        tar({"a": b"a" * 512}, compress=False).replace(b"ustar", b"xxxxx", 1).replace(b"a" * 512, b"b" * 512),
        "is broken or ends early",
    ),
    "broken second header": (gzip.compress(tar({"a": b""}, compress=False)[:512] + b"x" * 512), "is broken"),
    "zip ends early": (zipped(PROJECT)[:-30], "is broken or ends early"),
    "zip data": (zipped({"a": b"abc" * 100}).replace(b"KL", b"LK"), "cannot be read"),
    "nested headers": (archives.nested_headers(200), "is broken or ends early"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_archive_is_refused_with_the_entry_that_is_to_blame(tmp_path: Path, name: str) -> None:
    archive, blamed = BAD[name]

    with pytest.raises(BadArchive) as refused:
        unpacked(tmp_path, archive)

    assert blamed in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == [".chef"]


def run(folder: Path, archive: bytes) -> dict[str, object]:
    """Returns: what the program reports that is run as a step runs it."""
    (folder / ".chef").mkdir()
    (folder / ARCHIVE).write_bytes(archive)
    place = str(Path(program.__file__).parent)
    ended = subprocess.run(
        [sys.executable, "-I", place, "5", "1000", "3000"], check=False, cwd=folder, capture_output=True, text=True
    )
    report: dict[str, object] = orjson.loads((folder / REPORT).read_bytes())
    assert (ended.returncode, ended.stderr) == (0 if report["fault"] is None else 1, "")
    return report


def test_the_program_reports_what_it_did(tmp_path: Path) -> None:
    assert run(tmp_path, tar(PROJECT)) == {"fault": None, "files": 3, "warnings": []}
    assert (tmp_path / "src/é.ts").read_text() == "export {}"


def test_headers_within_headers_do_not_end_the_program(tmp_path: Path) -> None:
    assert "memory" in str(run(tmp_path, archives.nested_headers(5000))["fault"])
