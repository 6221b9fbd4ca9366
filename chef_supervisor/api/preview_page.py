"""The page for a person where there is no site to show: a sentence, and nothing that runs."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Final

from starlette.responses import Response

from chef_supervisor.api.problems import Problem

_PAGE: Final = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<h1>{title}</h1>
<p>{detail}</p>
</html>
"""
# A job that runs may be over soon. As a header: where scripts are not allowed, browsers obey no such element.
# Source: HTML Living Standard, 7.1.5 "Sandboxing" (sandboxed automatic features).
_REFRESH: Final = {"refresh": "3"}
_HEADERS: Final = {
    "content-security-policy": "default-src 'none'; sandbox",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
}


def preview_page(problem: Problem, titles: Mapping[str, str], *, head_only: bool = False) -> Response:
    """Returns: the page of a refusal; its title by the problem's code."""
    body = _PAGE.format(
        title=html.escape(titles.get(problem.code, "This cannot be shown")),
        detail=html.escape(problem.detail),
    ).encode()
    refresh = _REFRESH if problem.code == "not_over" else {}
    headers = {**_HEADERS, **problem.headers, **refresh, "content-length": str(len(body))}
    return Response(b"" if head_only else body, problem.status, headers, "text/html")
