from __future__ import annotations

from pathlib import Path

import pytest

from chef_supervisor.domain.errors import Misconfigured
from chef_supervisor.domain.job import JobType
from chef_supervisor.engine.toolchains import load_toolchains
from tests.unit.engine.samples import TOOLCHAINS

GOOD = 'name = "x"\nlooks_for = "x"\nmanifest = "python"\ndetect = [{ precedence = 1, when = {} }]\n[install]\nsees = []\nways = []\n[jobs]\n'


def test_the_toolchains_we_ship_are_read_in_order_and_know_every_job_type() -> None:
    assert [one.precedence for one in TOOLCHAINS] == sorted(one.precedence for one in TOOLCHAINS)
    assert all(set(JobType) == set(one.jobs) for one in TOOLCHAINS)


def test_every_job_of_a_shipped_toolchain_ends_in_a_way_without_condition() -> None:
    lasts = [ways[-1] for one in TOOLCHAINS for ways in one.jobs.values()]

    assert all(way.when == type(way.when)() for way in lasts)


def test_a_toolchain_needs_no_code(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text(GOOD)

    assert [one.name for one in load_toolchains(tmp_path)] == ["x"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("name = ", "x.toml: Invalid value"),
        (GOOD.replace('"x"\nlooks', "7\nlooks"), "must be str, not 7 @ .name"),
        (GOOD.replace("= 1", '= "1"'), "must be int, not '1' @ .detect[0].precedence"),
        (GOOD.replace("sees = []", 'sees = "all"'), "must be a list, not 'all' @ .install.sees"),
        (GOOD.replace("sees = []", "sees = [1]"), "@ .install.sees[0]"),
        (GOOD.replace("when = {}", 'when = { fiel = ["x"] }'), "unknown key fiel @ .detect[0].when"),
        (GOOD.replace("when = {}", 'when = { script_is = ["("] }'), "is no regular expression"),
        (GOOD.replace('manifest = "python"\n', ""), "manifest is missing"),
        (GOOD.replace('"python"', '"cargo"'), "'cargo' is not a valid ManifestKind @ .manifest"),
        (GOOD + "brew = []", "'brew' is not a valid JobType"),
        (GOOD + "build = [{}]", "a way has either steps or skip @ .jobs['build'][0]"),
        (GOOD + 'build = [{ steps = [{ name = "a", run = [] }] }]', "run must not be empty"),
        (GOOD.replace("[install]", 'output_readers = ["x"]\n[install]'), "output_readers: no reader 'x'"),
        (GOOD + 'build = [{ steps = [{ name = "a", run = ["a"], reports = { r = "x" } }] }]', "no report reader 'x'"),
    ],
)
def test_a_fault_is_told_with_file_and_field(tmp_path: Path, text: str, fault: str) -> None:
    (tmp_path / "x.toml").write_text(text)

    with pytest.raises(Misconfigured) as caught:
        load_toolchains(tmp_path)

    assert all(one.startswith("x.toml: ") for one in caught.value.faults)
    assert fault in caught.value.message()


def test_all_faults_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(GOOD.replace("= 1", "= true").replace("when = {}", "when = { x = 1 }"))
    (tmp_path / "b.toml").write_bytes(b"\xff")

    with pytest.raises(Misconfigured) as caught:
        load_toolchains(tmp_path)

    assert [fault.partition(":")[0] for fault in caught.value.faults] == ["a.toml", "a.toml", "b.toml"]


def test_an_empty_folder_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="there is no toolchain"):
        load_toolchains(tmp_path)
