"""The documents and the code tell the same."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Names with these words in front are events of the log; others with a dot are settings and files.
_EVENT = re.compile(
    r'(?:"event": |told\()f?"((?:job|sandbox|store|service|api|redis|runner|actor|dependencies|box|orphan|lease|artifacts|convex|delivery)\.[a-z_]+)"'
)


def test_every_event_of_the_log_is_documented() -> None:
    documented = (ROOT / "docs" / "troubleshooting.md").read_text()
    sources = [path.read_text() for path in (ROOT / "chef_supervisor").rglob("*.py")]

    events = {event for source in sources for event in _EVENT.findall(source)}

    assert events
    assert [event for event in sorted(events) if f"`{event}`" not in documented] == []


def test_every_file_that_a_document_links_to_is_there() -> None:
    documents = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    links = [
        (document, link) for document in documents for link in re.findall(r"\]\(([^)#:]+)\)", document.read_text())
    ]

    assert links
    assert [link for document, link in links if not (document.parent / link).exists()] == []
