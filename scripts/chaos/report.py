"""What a run of chaos came to, as a table; and whether the promises were kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import attrs
from rich.table import Table

from chef_supervisor.domain.job import JobId
from scripts.chaos.callers import Callers
from scripts.chaos.faults import Storm
from scripts.chaos.history import History
from tests.kit.queue_snapshot import Change


@attrs.frozen(kw_only=True)
class Report:
    """Counts of jobs; `violations` are sentences. `slowest_recovery_s` is None where no run was interrupted."""

    accepted: int
    finished_once: int
    run_again: int
    lost: int
    finished_twice: int
    poisoned: int
    slowest_recovery_s: float | None
    outcomes: Mapping[str, int]
    retries: Mapping[str, int]
    faults: Mapping[str, int]
    violations: Sequence[str]

    @property
    def kept(self) -> bool:
        """Whether what is promised was held."""
        return not (self.lost or self.finished_twice or self.violations) and self.accepted > 0

    def table(self) -> Table:
        """Returns: all of it for a person."""
        table = Table("", "", show_header=False)
        recovery = "none needed" if self.slowest_recovery_s is None else f"{self.slowest_recovery_s:.1f} s"
        rows = {
            "accepted": self.accepted,
            "finished once": self.finished_once,
            "run more than once": self.run_again,
            "lost": self.lost,
            "finished twice": self.finished_twice,
            "poisoned": self.poisoned,
            "slowest recovery": recovery,
            "outcomes": _told(self.outcomes),
            "requests sent again": _told(self.retries),
            "faults": _told(self.faults),
            "violations": len(self.violations),
        }
        for name, value in rows.items():
            table.add_row(name, str(value))
        return table


def make_report(callers: Callers, history: History, storm: Storm, violations: Sequence[str]) -> Report:
    """Returns: the report of a run that is over."""
    ends, changes = history.ends(), history.by_job()
    again = [job for job in changes.values() if sum(change.status == "processing" for change in job) > 1]
    return Report(
        accepted=len(callers.accepted),
        finished_once=sum(ends[JobId(job_id)] == 1 for job_id in callers.accepted),
        run_again=len(again),
        lost=sum(ends[JobId(job_id)] == 0 for job_id in callers.accepted),
        finished_twice=sum(count > 1 for count in ends.values()),
        poisoned=callers.outcomes["failed (poisoned)"],
        slowest_recovery_s=max((_recovery_s(job, storm.struck_at_ms) for job in again), default=None),
        outcomes=callers.outcomes,
        retries=callers.retries,
        faults=storm.done,
        violations=violations,
    )


def _recovery_s(job: Sequence[Change], struck_at_ms: Sequence[float]) -> float:
    """The longest time from the first fault during one of the job's runs to its next run."""
    runs = pairwise(change.at_ms for change in job if change.status == "processing")
    waits = [
        next_ms - struck_ms
        for run_ms, next_ms in runs
        for struck_ms in [next((at_ms for at_ms in struck_at_ms if run_ms <= at_ms <= next_ms), next_ms)]
    ]
    return max(waits, default=0.0) / 1000


def _told(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name}: {count}" for name, count in sorted(counts.items())) or "none"
