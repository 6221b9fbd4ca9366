from __future__ import annotations

import asyncio
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.api.api_kit import Api, make_settings

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=10,
)
_PATHS = st.sampled_from(["a", "a/b", "/home/project/a", "../a", "", "/"]) | _TEXT
_CONTENTS = st.text(max_size=5) | st.fixed_dictionaries({"content": _JSON}, optional={"encoding": _JSON, "type": _JSON})
_FILES = st.dictionaries(_PATHS, _CONTENTS | _JSON, max_size=3)
_STEP = st.fixed_dictionaries({}, optional={"name": st.just("a") | _JSON, "run": st.just("a") | _JSON})
_ENV = st.dictionaries(st.just("A") | _TEXT, _TEXT | _JSON | st.fixed_dictionaries({"value": _JSON, "steps": _JSON}))
_DATA = st.fixed_dictionaries(
    {},
    optional={
        "chatId": st.just("c") | _JSON,
        "projectFiles": _FILES | _JSON,
        "baseJobId": st.just("builds.0_" + "a" * 26) | _JSON,
        "changedFiles": _FILES | _JSON,
        "deletedPaths": st.lists(_PATHS, max_size=3) | _JSON,
        "toolchain": st.just("npm") | _JSON,
        "steps": st.lists(_STEP, max_size=3) | _JSON,
        "artifacts": st.lists(_PATHS, max_size=3) | _JSON,
        "env": _ENV | _JSON,
    },
)
_NUMBERS = st.integers(0, 2_000) | _JSON
_BACKOFF = st.fixed_dictionaries(
    {}, optional={"type": st.just("fixed") | _JSON, "delayMs": _NUMBERS, "maxMs": _NUMBERS}
)
_OPTIONS = {
    **dict.fromkeys(("timeoutMs", "stepTimeoutMs", "attempts", "delayMs"), _NUMBERS),
    "backoff": _BACKOFF | _JSON,
    "dedupe": st.just("latest") | _JSON,
    "cache": st.booleans() | _JSON,
}
_ALMOST = st.fixed_dictionaries(
    {},
    optional={"type": st.just("build") | _JSON, "priority": st.just("low") | _JSON, "data": _DATA | _JSON, **_OPTIONS},
)


async def _post(content: bytes, kind: str = "application/json") -> None:
    api = Api(settings=make_settings())

    response = await api.client.post("/api/jobs", content=content, headers={"content-type": kind})

    assert response.status_code < 500
    assert (response.status_code == 201) == (len(api.store.jobs) == 1)
    if response.status_code != 201:
        assert response.json()["code"]


@settings(max_examples=200)
@given(_ALMOST | _JSON)
def test_no_json_breaks_anything(body: Any) -> None:
    try:
        content = orjson.dumps(body)
    except TypeError:
        return
    asyncio.run(_post(content))


@given(st.binary())
def test_no_bytes_break_anything(content: bytes) -> None:
    asyncio.run(_post(content))


_FORM = (
    b'--b\r\nContent-Disposition: form-data; name="job"\r\n\r\n{"type":"build","data":{"chatId":"c"}}\r\n'
    b'--b\r\nContent-Disposition: form-data; name="archive"\r\n\r\n\x1f\x8b\r\n--b--\r\n'
)


@given(st.integers(0, len(_FORM)), st.integers(0, 20), st.binary(max_size=5) | st.sampled_from([b"--b", b"\r\n", b'"']))
def test_no_form_breaks_anything(at: int, cut: int, new: bytes) -> None:
    asyncio.run(_post(_FORM[:at] + new + _FORM[at + cut :], "multipart/form-data; boundary=b"))
