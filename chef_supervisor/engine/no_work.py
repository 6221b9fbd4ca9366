"""Outcomes of jobs for which nothing is run: no toolchain knows the project, its manifest is broken, nothing to do."""

from __future__ import annotations

from collections.abc import Sequence

from chef_supervisor.domain.job import JobStatus
from chef_supervisor.domain.outcome import Cause, Outcome, Result, Verdict
from chef_supervisor.domain.toolchain import Skip, Toolchain
from chef_supervisor.engine.summary import clip
from chef_supervisor.engine.text import message_of


def no_toolchain(toolchains: Sequence[Toolchain]) -> Outcome:
    """Returns: failed; says what was looked for."""
    looked_for = ", ".join(one.looks_for for one in sorted(toolchains, key=lambda one: one.precedence) if one.looks_for)
    message = f"No toolchain knows this project; looked at its top for {looked_for}."
    result = Result(verdict=Verdict.FAILED, cause=Cause.NO_TOOLCHAIN, message=message, summary=f"failed: {message}")
    return Outcome(status=JobStatus.FAILED, result=result)


def unreadable(fault: str, toolchain: str, warnings: tuple[str, ...]) -> Outcome:
    """Returns: failed. Nothing to do was found only because nothing could be read: that is no success."""
    message = message_of(f"The dependencies could not be installed: {fault}.", 300)
    result = Result(
        verdict=Verdict.FAILED,
        cause=Cause.INSTALL_FAILED,
        message=message,
        summary=clip(f"failed: {message}"),
        toolchain=toolchain,
        warnings=warnings,
    )
    return Outcome(status=JobStatus.FAILED, result=result)


def skipped(skip: Skip, toolchain: str, warnings: tuple[str, ...]) -> Outcome:
    """Returns: completed, and says why there was nothing to do."""
    said = "".join(f"\nwarning: {warning}" for warning in warnings)
    result = Result(
        verdict=Verdict.SKIPPED,
        cause=skip.cause,
        message=skip.message,
        summary=clip(f"skipped: {skip.message}{said}"),
        toolchain=toolchain,
        warnings=warnings,
    )
    return Outcome(status=JobStatus.COMPLETED, result=result)
