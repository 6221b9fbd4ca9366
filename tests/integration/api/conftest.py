from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.integration.api.server_kit import Serving, serving


@pytest_asyncio.fixture
async def served() -> AsyncIterator[Serving]:
    async with serving(header_timeout_s=0.2, body_timeout_s=0.2) as served:
        yield served
