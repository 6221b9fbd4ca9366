"""What users of dependencies are told of the scripts that ran when they were installed."""

from __future__ import annotations

from collections.abc import Iterable

from chef_supervisor.dependencies.scripts import Scripts
from chef_supervisor.domain.work import BoxEnded, BoxEvent, EndedBy, Step, StepEnded, StepOutput, StepStarted, Work

SCRIPTS = Step(name="run the install scripts", argv=("npm", "rebuild"), timeout_s=1)
TOOLS = Step(name="compile the tools", argv=("sh",), timeout_s=1, keep_going=True)
WELL = BoxEnded(complete=True, ended_by=EndedBy.EXIT)


def notes(events: Iterable[BoxEvent]) -> tuple[str, ...]:
    scripts = Scripts(Work(files={}, steps=(SCRIPTS, TOOLS), timeout_s=1))
    for event in events:
        scripts.take(event)
    return scripts.notes()


def ended(index: int, exit_code: int | None = 0, ended_by: EndedBy = EndedBy.EXIT) -> list[BoxEvent]:
    return [
        StepStarted(index),
        StepOutput(index, b"words\n"),
        StepEnded(index=index, exit_code=exit_code, ended_by=ended_by, ms=1),
    ]


def test_nothing_is_told_where_all_went_well() -> None:
    assert notes([*ended(0), *ended(1), WELL]) == ()


def test_a_script_that_failed_is_told_with_its_last_words() -> None:
    [note] = notes([*ended(0, 7), WELL])

    assert "run the install scripts: exit code 7" in note
    assert note.endswith("words")


def test_tools_that_could_not_be_compiled_are_no_ones_affair() -> None:
    timeout = BoxEnded(complete=True, ended_by=EndedBy.TIMEOUT)

    assert notes([*ended(0), *ended(1, None, EndedBy.TIMEOUT), timeout]) == ()


def test_a_box_that_ended_in_the_scripts_is_told() -> None:
    [note] = notes([StepStarted(0), BoxEnded(complete=True, ended_by=EndedBy.TIMEOUT)])

    assert "timeout" in note
