"""One line of what is measured: our figure, theirs, and whether the target is met. Medians of all rounds."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

import attrs


@attrs.frozen(kw_only=True)
class Target:
    """`ratio`: whether the bound is of ours by theirs, or of our figure itself."""

    bound: float
    at_least: bool
    ratio: bool = True

    def __str__(self) -> str:
        sign, times = ">=" if self.at_least else "<=", " x" if self.ratio else ""
        return f"{sign} {self.bound:g}{times}"

    def is_met_by(self, figure: float) -> bool:
        """Whether the figure is within the bound."""
        return figure >= self.bound if self.at_least else figure <= self.bound


def at_least(bound: float) -> Target:
    """Returns: a target for a ratio of rates."""
    return Target(bound=bound, at_least=True)


def at_most(bound: float, *, ratio: bool = True) -> Target:
    """Returns: a target for what is to be small."""
    return Target(bound=bound, at_least=False, ratio=ratio)


@attrs.frozen(kw_only=True)
class Row:
    """
    Figures of both sides, one for each round. `theirs`: whose the other figures are.

    `their_runs` is empty where the target is absolute and nobody else was measured. Samples are what the figures of the
    rounds were taken from, where that is of use: all rounds together.
    """

    what: str
    unit: str
    target: Target
    theirs: str
    our_runs: Sequence[float]
    their_runs: Sequence[float] = ()
    our_samples: Sequence[float] = ()
    their_samples: Sequence[float] = ()

    @property
    def our_figure(self) -> float:
        """The median of ours."""
        return statistics.median(self.our_runs)

    @property
    def their_figure(self) -> float | None:
        """The median of theirs."""
        return statistics.median(self.their_runs) if self.their_runs else None

    @property
    def ratio(self) -> float | None:
        """Ours by theirs; None where there is nothing to divide by."""
        theirs = self.their_figure
        return self.our_figure / theirs if theirs else None

    @property
    def met(self) -> bool:
        """Whether the target is; not where its ratio is unknown."""
        figure = self.ratio if self.target.ratio else self.our_figure
        return figure is not None and self.target.is_met_by(figure)
