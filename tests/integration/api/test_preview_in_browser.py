"""What a real browser makes of a preview: a built app runs, and gets at nothing that is not its own."""

from __future__ import annotations

import asyncio
import html
import json
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.integration.api.server_kit import serving
from tests.kit.artifacts import artifact_store
from tests.unit.api.built_jobs import Built

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome") or ""
pytestmark = [
    pytest.mark.asyncio,
    pytest.mark.slow,
    pytest.mark.skipif(not BROWSER, reason="no Chromium is installed"),
]
PAGE = b"""<!doctype html>
<link rel="stylesheet" crossorigin href="/assets/style.css">
<img src="/assets/logo.svg">
<div id="root"></div>
<script type="module" crossorigin src="/assets/app.js"></script>
"""
APP = """
import { greeting } from "./part.js";
const found = { greeting, href: location.href };
const tried = async (name, act) => {
  try { found[name] = await act(); } catch (error) { found[name] = error.name; }
};
const drawn = (image) => image.decode().then(() => image.naturalWidth);
await tried("data", async () => (await fetch("/data.json")).json());
await tried("lazy", async () => (await import("./lazy.js")).value);
await tried("image", () => drawn(document.querySelector("img")));
await tried("style", () => getComputedStyle(document.body).getPropertyValue("--from-css").trim());
await tried("route", () => { history.pushState({}, "", "/deep/route"); return location.pathname; });
await tried("storage", () => { localStorage.setItem("a", "b"); return "kept"; });
await tried("cookie", () => { document.cookie = "a=b"; return document.cookie; });
await tried("worker", () => navigator.serviceWorker.register("/assets/app.js"));
await tried("api", async () => (await fetch("http://127.0.0.1:PORT/api/stats")).json());
await tried("job", async () => (await fetch("http://127.0.0.1:PORT/api/jobs", { method: "POST", body: "{}" })).json());
document.getElementById("root").textContent = JSON.stringify(found);
"""
ASSETS = {
    "dist/index.html": PAGE,
    "dist/assets/part.js": b"export const greeting = 'hello';",
    "dist/assets/lazy.js": b"export const value = 42;",
    "dist/assets/style.css": b"body { --from-css: yes }",
    "dist/assets/logo.svg": b'<svg xmlns="http://www.w3.org/2000/svg" width="7" height="7"/>',
    "dist/data.json": b'{"of": "its own"}',
}


async def look(url: str, profile: Path) -> dict[str, Any]:
    """Returns: what the page found."""
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
    own = [f"--user-data-dir={profile}", "--virtual-time-budget=10000", "--timeout=30000", "--dump-dom"]
    browser = await asyncio.create_subprocess_exec(
        BROWSER, *flags, *own, url, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    dumped, complaints = await browser.communicate()
    root = re.search(r'<div id="root">(.*?)</div>', dumped.decode(), re.DOTALL)
    assert root is not None, dumped.decode() + complaints.decode()
    assert root[1], dumped.decode() + complaints.decode()
    found: dict[str, Any] = json.loads(html.unescape(root[1]))
    return found


@asynccontextmanager
async def shown() -> AsyncIterator[tuple[Built, str]]:
    """Yields: an API with a built app, and the way to it that a person goes."""
    artifacts = artifact_store()
    async with serving(artifacts=artifacts) as served:
        built = Built(served.api, artifacts)
        app = APP.replace("PORT", str(served.server.port))
        job_id = await built.job({**ASSETS, "dist/assets/app.js": app.encode()})
        yield built, f"http://localhost:{served.server.port}/preview/{job_id}/"


async def test_a_built_app_runs_and_is_alone(tmp_path: Path) -> None:
    async with shown() as (built, url):
        jobs = len(built.api.store.jobs)
        found = await look(url, tmp_path)

        assert re.fullmatch(r"http://[a-z2-7]{26}--builds\.preview\.localhost:\d+/", found["href"])
        runs = {name: found[name] for name in ("greeting", "data", "lazy", "image", "style", "route")}
        assert runs == {
            "greeting": "hello",
            "data": {"of": "its own"},
            "lazy": 42,
            "image": 7,
            "style": "yes",
            "route": "/deep/route",
        }
        assert found["storage"] == found["cookie"] == "SecurityError"
        assert found["worker"] in {"SecurityError", "InvalidStateError", "TypeError"}
        assert found["api"] == found["job"] == "TypeError"
        assert len(built.api.store.jobs) == jobs
