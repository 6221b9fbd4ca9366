from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.unit.api.api_kit import Api, make_settings


@pytest_asyncio.fixture
async def api() -> AsyncIterator[Api]:
    api = Api(settings=make_settings())
    async with api.client:
        yield api
