"""Turns the step templates of a way into steps: conditions asked, words replaced, one per `each`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import attrs

from chef_supervisor.domain.job import JobOptions
from chef_supervisor.domain.toolchain import StepTemplate, Toolchain, Way
from chef_supervisor.domain.work import Step
from chef_supervisor.engine.direct_scripts import direct
from chef_supervisor.engine.project import Project


@attrs.frozen(kw_only=True)
class Budget:
    """
    What a job may use: seconds for all its steps, for each of them, for its install; bytes of what they print.

    `output_bytes`: so many are kept of each end of each step's output. `most_output_bytes`: more ends the job.
    `step_timeout_s`: None = each may take all of the time. `ceiling_s`: more than it no job gets by asking.
    """

    steps_timeout_s: float
    install_timeout_s: float
    output_bytes: int = 262_144
    most_output_bytes: int = 1 << 30
    step_timeout_s: float | None = None
    ceiling_s: float = math.inf

    @property
    def each_step_s(self) -> float:
        """Seconds that one step may take."""
        return min(self.steps_timeout_s, self.step_timeout_s or self.steps_timeout_s)

    def asked(self, options: JobOptions) -> Budget:
        """Returns: the budget of a job that asks for times of its own."""
        steps_ms, step_ms = options.timeout_ms, options.step_timeout_ms
        steps_s = self.steps_timeout_s if steps_ms is None else min(steps_ms / 1000, self.ceiling_s)
        return attrs.evolve(
            self, steps_timeout_s=steps_s, step_timeout_s=self.step_timeout_s if step_ms is None else step_ms / 1000
        )


@attrs.frozen(kw_only=True)
class PlannedStep:
    """
    A step and how its end is read: report path -> reader, and how the tool says that there are no tests.

    `advisory`: what its reports find are warnings but for errors of syntax.
    """

    step: Step
    reports: Mapping[str, str]
    advisory: bool = False
    no_tests_exit: tuple[int, ...] = ()
    no_tests_text: tuple[str, ...] = ()


@attrs.frozen
class Steps:
    """
    Makes the steps of a project. `installed` says which words start a program; `variables` are the names of those that
    the job itself sets.
    """

    toolchain: Toolchain
    project: Project
    installed: bool = attrs.field(kw_only=True)
    words: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict, kw_only=True)
    variables: frozenset[str] = attrs.field(default=frozenset(), kw_only=True)

    def of(self, way: Way, timeout_s: float) -> tuple[PlannedStep, ...]:
        """Returns: the steps whose conditions hold, in order; each may take so long."""
        return self.made_of(way.steps, timeout_s)

    def made_of(self, templates: tuple[StepTemplate, ...], timeout_s: float) -> tuple[PlannedStep, ...]:
        """Returns: the same of templates that are no way."""
        return tuple(
            self._planned(template, value, timeout_s)
            for template in templates
            if self.project.holds(template.when) and (template.needs is None or self._words(template.needs))
            for value in self._values(template)
        )

    def env(self, env: Mapping[str, str]) -> dict[str, str]:
        """Returns: the variables; where a value is `{name}`, the words of that name stand in it, joined as PATH's are."""
        return {name: ":".join(self._replaced(value, "")) for name, value in env.items()}

    def _values(self, template: StepTemplate) -> tuple[str, ...]:
        return ("",) if template.each is None else self.project.each(template.each)

    def _planned(self, template: StepTemplate, value: str, timeout_s: float) -> PlannedStep:
        argv = tuple(self._argv(template.run, value))
        started = direct(argv, self.toolchain, self.project, self.variables)
        step = Step(
            name=f"{template.name} {value}" if value else template.name,
            argv=argv if started is None else started.argv,
            timeout_s=timeout_s,
            env=dict(template.env) if started is None else {**started.env, **template.env},
            keep_going=template.keep_going,
        )
        return PlannedStep(
            step=step,
            reports=template.reports,
            advisory=template.advisory,
            no_tests_exit=template.no_tests_exit,
            no_tests_text=template.no_tests_text,
        )

    def _argv(self, run: tuple[str, ...], value: str) -> Iterator[str]:
        for word in run:
            yield from self._replaced(word, value)

    def _replaced(self, word: str, value: str) -> tuple[str, ...]:
        if word == "{each}":
            return (value,)
        # `{deps}` is known later: where the job's dependencies are is decided when their key is.
        if word == "{deps}" or not (word.startswith("{") and word.endswith("}")):
            return (word,)
        return self._words(word[1:-1])

    def _words(self, name: str) -> tuple[str, ...]:
        program = self.toolchain.programs.get(name)
        if program is not None:
            return program.installed if self.installed else program.bare
        for words in (self.words, self.toolchain.words, self.project.manifest.words):
            if name in words:
                return words[name]
        return ()
