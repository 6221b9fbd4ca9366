"""Whose a name in an engine is: this process's, a dead one's, or somebody's who may need it."""

from __future__ import annotations

import pytest

from chef_supervisor.domain.errors import SandboxUnavailable
from chef_supervisor.sandboxes.docker.lifecycle import outlived
from chef_supervisor.sandboxes.docker.names import Names
from chef_supervisor.sandboxes.leftover import Leftover, LeftoverKind

OLD = {"chef.supervisor": "i", "chef.realm": "r", "chef.role": "job", "chef.job": "j", "chef.run": "2"}


@pytest.mark.parametrize(
    ("changes", "may_go"),
    [
        ({}, True),
        ({"chef.run": "3"}, True),
        ({"chef.supervisor": "other"}, False),
        ({"chef.supervisor": "other", "chef.run": "1"}, True),
        ({"chef.supervisor": "other", "chef.run": "3"}, False),
        ({"chef.supervisor": "other", "chef.run": "1", "chef.realm": "elsewhere"}, False),
        ({"chef.supervisor": "other", "chef.run": "1", "chef.job": "k"}, False),
        ({"chef.supervisor": "other", "chef.run": ""}, False),
        ({"chef.supervisor": "", "chef.realm": "", "chef.job": "", "chef.run": ""}, False),
    ],
)
def test_a_container_in_the_way_goes_where_nobody_can_need_it(changes: dict[str, str], may_go: bool) -> None:
    assert outlived({**OLD, **changes}, OLD) is may_go


def test_realms_that_are_not_known_are_not_the_same() -> None:
    unknown = {**OLD, "chef.realm": ""}

    assert not outlived({**unknown, "chef.supervisor": "other", "chef.run": "1"}, unknown)


def test_a_name_is_used_once_at_a_time() -> None:
    names = Names()

    with names.use(LeftoverKind.CONTAINER, "a"), names.use(LeftoverKind.VOLUME, "a"):
        with pytest.raises(SandboxUnavailable, match="already in use"), names.use(LeftoverKind.CONTAINER, "a"):
            pass
        with pytest.raises(SandboxUnavailable, match="already in use"), names.use(LeftoverKind.CONTAINER, "a"):
            pass

    with names.use(LeftoverKind.CONTAINER, "a"):
        pass


def test_what_was_used_while_a_list_was_made_is_no_leftover() -> None:
    names = Names()
    found = [(name, Leftover(handle=name, kind=LeftoverKind.CONTAINER)) for name in ("ended", "begun", "left")]
    found.append(("begun", Leftover(handle="a volume", kind=LeftoverKind.VOLUME)))

    with names.use(LeftoverKind.CONTAINER, "ended"):
        unused = names.free_of()
    with names.use(LeftoverKind.CONTAINER, "begun"):
        leftovers = unused(found)

    assert [leftover.handle for leftover in leftovers] == ["left", "a volume"]
