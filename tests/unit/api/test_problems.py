from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs
import pytest

from chef_supervisor.api.errors import RequestTimeout, TooManyReaders
from chef_supervisor.api.problems import STATUS_OF, problem_of
from chef_supervisor.domain.errors import (
    AlreadyOver,
    Bug,
    ChefError,
    CorruptState,
    Draining,
    KeyReused,
    Misconfigured,
    NotDurable,
    NotOver,
    NotOverYet,
    QueueFull,
    StoreFull,
    StoreUnavailable,
    TooLarge,
    Unprocessable,
)

# Imported, so that they are among the subclasses.
HTTP_ERRORS = {RequestTimeout, TooManyReaders}


def _all_errors(base: type[ChefError] = ChefError) -> Iterator[type[ChefError]]:
    if base.__module__.startswith(("chef_supervisor.domain.", "chef_supervisor.api.")):
        yield base
    for kind in base.__subclasses__():
        yield from _all_errors(kind)


def _example(kind: type[ChefError]) -> ChefError:
    by_type: dict[str, Any] = {"str": "x", "int": 7, "float": 0.2, "tuple[str, ...]": ("x",)}
    fields = attrs.fields(kind) if attrs.has(kind) else ()
    return kind(**{field.name: by_type[str(field.type)] for field in fields})


@pytest.mark.parametrize("kind", sorted(_all_errors(), key=str))
def test_every_error_has_a_status_and_a_whole_problem(kind: type[ChefError]) -> None:
    problem = problem_of(_example(kind))

    assert kind in STATUS_OF
    assert problem.status == STATUS_OF[kind][0]
    assert problem.code
    assert problem.detail
    assert problem.body()


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (AlreadyOver("builds.0_a", "failed"), 409, "already_over"),
        (NotOver("builds.0_a", "pending"), 409, "not_over"),
        (NotOverYet("builds.0_a", "pending", "artifacts"), 409, "not_over"),
        (KeyReused(), 422, "idempotency_mismatch"),
        (QueueFull("builds"), 429, "queue_full"),
        (CorruptState("builds.0_a", "secret"), 500, "corrupt_state"),
        (Draining(), 503, "draining"),
        (NotDurable("secret"), 503, "durability_unconfirmed"),
        (StoreFull("its memory is full"), 503, "store_full"),
        (StoreUnavailable("it is away"), 503, "store_unavailable"),
    ],
)
def test_codes_that_programs_switch_on(error: ChefError, status: int, code: str) -> None:
    problem = problem_of(error)

    assert (problem.status, problem.code) == (status, code)


def test_errors_of_http_are_enumerated_too() -> None:
    assert set(_all_errors()) >= HTTP_ERRORS


@pytest.mark.parametrize("kind", sorted(_all_errors(), key=str))
def test_who_may_come_again_is_told_when(kind: type[ChefError]) -> None:
    problem = problem_of(_example(kind))

    assert ("Retry-After" in problem.headers) is (problem.status in {429, 503})


def test_moment_to_come_again_is_whole_seconds_and_never_zero() -> None:
    assert problem_of(QueueFull("builds", retry_after_s=0.2)).headers["Retry-After"] == "1"


@pytest.mark.parametrize("error", [Bug("secret"), Misconfigured(("secret",)), ChefError("secret")])
def test_faults_of_ours_tell_nothing_of_our_insides(error: ChefError) -> None:
    problem = problem_of(error)

    assert (problem.status, problem.code) == (500, "internal_error")
    assert b"secret" not in problem.body()


def test_field_and_code_come_from_the_error() -> None:
    wrong = problem_of(Unprocessable("invalid_type", "type", "no"))
    large = problem_of(TooLarge("file_too_large", "data", 5))

    assert (wrong.code, wrong.path, wrong.detail) == ("invalid_type", "type", "no")
    assert (large.status, large.code, large.path) == (413, "file_too_large", "data")
