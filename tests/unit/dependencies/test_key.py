"""The key of an install changes with everything that decides what it makes, and with nothing else."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from chef_supervisor.dependencies.key import Recipe, key_of
from chef_supervisor.domain.work import Step, Work

STEP = Step(name="install", argv=("npm", "ci"), timeout_s=60, env={"A": "1"})
WORK = Work(files={"package.json": b"{}", "lock": b"1"}, steps=(STEP,), env={"CI": "1"}, timeout_s=60, root="{deps}")
RECIPE = Recipe(identity="docker sha256:1", works=(WORK,), locked=True, tenant="one", secrets={})
SECRET = b"of the store"


def with_work(**changes: Any) -> Recipe:
    return attrs.evolve(RECIPE, works=(attrs.evolve(WORK, **changes),))


def with_step(**changes: Any) -> Recipe:
    return with_work(steps=(attrs.evolve(STEP, **changes),))


def test_a_key_is_forty_hexadecimal_characters_and_always_the_same() -> None:
    assert key_of(RECIPE, SECRET) == key_of(attrs.evolve(RECIPE), SECRET)
    assert len(key_of(RECIPE, SECRET)) == 40
    assert int(key_of(RECIPE, SECRET), 16)


@pytest.mark.parametrize(
    "changed",
    [
        attrs.evolve(RECIPE, identity="docker sha256:2"),
        attrs.evolve(RECIPE, locked=False),
        attrs.evolve(RECIPE, works=(WORK, WORK)),
        attrs.evolve(RECIPE, secrets={"TOKEN": "a"}),
        with_work(files={"package.json": b"{}", "lock": b"2"}),
        with_work(files={"package.json": b"{}", "lock2": b"1"}),
        with_work(files={"package.json": b"{}"}),
        with_work(files={"package.json": b"{}", "lock": b"1", "env": b""}),
        with_work(env={"CI": "2"}),
        with_work(env={"CJ": "1"}),
        with_work(env={}),
        with_work(root="/elsewhere"),
        with_work(steps=()),
        with_work(steps=(STEP, STEP)),
        with_step(argv=("npm", "install")),
        with_step(argv=("npm ci",)),
        with_step(argv=("npm", "ci", "A", "1"), env={}),
        with_step(env={"A": "2"}),
        with_step(cwd="inner"),
        with_step(keep_going=True),
    ],
)
def test_every_part_of_the_recipe_counts(changed: Recipe) -> None:
    assert key_of(changed, SECRET) != key_of(RECIPE, SECRET)


def test_the_secret_of_the_store_and_the_generation_count() -> None:
    assert len({key_of(RECIPE, SECRET), key_of(RECIPE, b"of another"), key_of(RECIPE, SECRET, 1)}) == 3


def test_a_tenant_counts_only_with_secrets() -> None:
    other = attrs.evolve(RECIPE, tenant="two")

    assert key_of(other, SECRET) == key_of(RECIPE, SECRET)


def test_each_tenant_name_and_value_of_secrets_has_a_key_of_its_own() -> None:
    recipes = [
        attrs.evolve(RECIPE, tenant=tenant, secrets={name: value})
        for tenant in ("one", "two")
        for name in ("TOKEN", "PASSWORD")
        for value in ("a", "b")
    ]

    assert len({key_of(recipe, SECRET) for recipe in recipes}) == 8


def test_no_value_of_a_secret_stands_in_what_is_printed_of_a_recipe() -> None:
    assert "hunter22" not in repr(attrs.evolve(RECIPE, secrets={"TOKEN": "hunter22"}))


def test_where_one_part_ends_and_the_next_begins_counts() -> None:
    one = with_work(env={"files": "a"}, files={})
    two = with_work(env={}, files={"a": b"files"})

    assert key_of(one, SECRET) != key_of(two, SECRET)
