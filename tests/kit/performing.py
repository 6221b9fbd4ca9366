"""A job done by a workshop to its very end, boxes removed."""

from __future__ import annotations

from chef_supervisor.domain.job import Claim
from chef_supervisor.domain.outcome import Outcome
from chef_supervisor.workshop import Onlooker, Spoilt, Workshop


async def perform(workshop: Workshop, claim: Claim, onlooker: Onlooker) -> Outcome | Spoilt:
    """Returns: what became of the job."""
    async with workshop.performed(claim, onlooker) as done:
        return done
