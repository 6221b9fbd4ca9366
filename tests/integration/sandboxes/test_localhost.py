"""A box has no network, and yet a server that its tests start is found by its name."""

from __future__ import annotations

import pytest

from chef_supervisor.sandboxes.sandbox import Sandbox
from tests.integration.sandboxes.boxes import python, run, work

pytestmark = pytest.mark.asyncio

_TALK = """
import socket
with socket.create_server(("localhost", 0)) as server:
    with socket.create_connection(("localhost", server.getsockname()[1])):
        print("heard")
"""


async def test_localhost_is_the_box_itself(sandbox: Sandbox) -> None:
    heard = await run(sandbox, work(python(_TALK)))

    assert heard.output() == b"heard\n"
