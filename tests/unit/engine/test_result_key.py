"""The key of a piece of work: whatever a result depends on changes it, and nothing else does."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from chef_supervisor.domain.job import JobType
from chef_supervisor.domain.work import Step, Work
from chef_supervisor.engine import result_key as module
from chef_supervisor.engine.install import InstallPlan
from chef_supervisor.engine.plan import Plan
from chef_supervisor.engine.result_key import result_key
from chef_supervisor.engine.steps import PlannedStep
from tests.kit import sample_projects
from tests.unit.engine.samples import planned

STEP = Step(name="test", argv=("pytest", "-q"), timeout_s=60, env={"A": "1", "B": "2"})
WORK = Work(files={"requirements.txt": b"attrs\n"}, steps=(STEP,), timeout_s=30, root="{deps}")
INSTALL = InstallPlan(work=WORK, offline=WORK, locked=True)
RUN = Work(files={"a.py": b"x = 1\n", "b.py": b"\xff"}, steps=(STEP,), env={"CI": "1"}, timeout_s=60)
PLAN = Plan(
    job_type=JobType.TEST,
    toolchain="pip",
    install=INSTALL,
    run=RUN,
    steps=(PlannedStep(step=STEP, reports={"report.xml": "junit"}),),
    output_readers=("traceback",),
    output_bytes=100,
)


def key(work: Plan = PLAN, /, **others: Any) -> str:
    said = {"tenant": "a", "place": "docker sha256:1", "dependencies": "", "warnings": (), **others}
    return result_key(work, **said)


def changed(value: Any, field: str, new: object = "something else") -> Any:
    return attrs.evolve(value, **{field: new})


def names(kind: type[attrs.AttrsInstance]) -> list[str]:
    return [field.name for field in attrs.fields(kind)]


def test_the_same_work_has_the_same_key() -> None:
    again = changed(PLAN, "run", changed(RUN, "steps", (changed(STEP, "cwd", "."),)))

    assert key(again) == key()
    assert len(bytes.fromhex(key())) == 32


def test_the_order_of_files_and_variables_does_not_matter() -> None:
    turned = changed(RUN, "files", dict(reversed(RUN.files.items())))
    turned = changed(turned, "steps", (changed(STEP, "env", {"B": "2", "A": "1"}),))

    assert key(changed(PLAN, "run", turned)) == key()


@pytest.mark.parametrize("other", ["tenant", "place", "dependencies", "warnings"])
def test_who_asks_where_and_with_what_changes_the_key(other: str) -> None:
    assert key(**{other: "something else"}) != key()


def test_our_own_version_changes_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    before = key()

    monkeypatch.setattr(module, "__version__", "0.0.0")

    assert key() != before


@pytest.mark.parametrize("field", names(Plan))
def test_every_part_of_the_plan_changes_the_key(field: str) -> None:
    assert key(changed(PLAN, field)) != key()


@pytest.mark.parametrize("field", names(Work))
def test_every_part_of_the_work_of_each_box_changes_the_key(field: str) -> None:
    assert key(changed(PLAN, "run", changed(RUN, field))) != key()
    for box in ("work", "offline"):
        assert key(changed(PLAN, "install", changed(INSTALL, box, changed(WORK, field)))) != key()


@pytest.mark.parametrize("field", names(InstallPlan))
def test_every_part_of_the_install_changes_the_key(field: str) -> None:
    assert key(changed(PLAN, "install", changed(INSTALL, field))) != key()


@pytest.mark.parametrize("field", names(Step))
def test_every_part_of_a_step_changes_the_key(field: str) -> None:
    assert key(changed(PLAN, "run", changed(RUN, "steps", (changed(STEP, field),)))) != key()


@pytest.mark.parametrize(
    "files",
    [
        {"a.py": b"x = 2\n", "b.py": b"\xff"},
        {"a.py": b"x = 1\n"},
        {"a.py": b"x = 1\n", "b.py": b"\xff", "c.py": b""},
        {"a.py": b"x = 1\n", "c.py": b"\xff"},
        {"a.py": b"\xff", "b.py": b"x = 1\n"},
        {"a.py": b"x = 1\nb.py\xff", "b.py": b""},
    ],
    ids=["another content", "one less", "one more", "another name", "swapped", "moved over the border"],
)
def test_every_file_counts_with_its_name_and_its_content(files: dict[str, bytes]) -> None:
    assert key(changed(PLAN, "run", changed(RUN, "files", files))) != key()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("ab", "c"), ("a", "bc")),
        (("a",), ("a", "")),
        (("1",), (1,)),
        (("None",), (None,)),
        (("a", "b"), ("b", "a")),
        ((("a",), "b"), (("a", "b"),)),
    ],
)
def test_no_two_values_are_the_same_bytes(one: object, other: object) -> None:
    assert key(changed(PLAN, "warnings", one)) != key(changed(PLAN, "warnings", other))


@pytest.mark.parametrize("job_type", JobType)
def test_every_plan_of_the_engine_has_a_key(job_type: JobType) -> None:
    assert key(planned(job_type, sample_projects.load("web"))) == key(planned(job_type, sample_projects.load("web")))


def test_a_plan_of_something_unknown_is_refused_and_not_left_out() -> None:
    with pytest.raises(TypeError, match="frozenset has no place in the key"):
        key(changed(PLAN, "warnings", frozenset({"a"})))
