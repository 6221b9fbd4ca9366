"""Removing what was left behind in an engine: gone is only what is gone."""

from __future__ import annotations

from typing import Any, cast

import attrs
import docker
import docker.errors
import pytest
import requests

from chef_supervisor.sandboxes.docker.leftovers import remove_leftover
from chef_supervisor.sandboxes.leftover import Leftover, LeftoverKind

CONTAINER = Leftover(handle="c", kind=LeftoverKind.CONTAINER)


@attrs.define
class Engine:
    """Answers each removal with that status."""

    status: int

    def remove_container(self, container: str, **options: Any) -> None:
        del container, options
        response = requests.Response()
        response.status_code = self.status
        docker.errors.create_api_error_from_http_exception(requests.exceptions.HTTPError("no", response=response))


def remove(status: int) -> None:
    remove_leftover(cast("docker.APIClient", Engine(status)), CONTAINER)


def test_a_container_that_is_gone_is_removed() -> None:
    remove(404)


@pytest.mark.parametrize("status", [409, 500])
def test_a_container_that_is_being_removed_for_ever_is_not_removed(status: int) -> None:
    with pytest.raises(docker.errors.APIError):
        remove(status)
