"""Python's dotted names of tests, as files."""

from __future__ import annotations


def file_of(dotted: str) -> str:
    """Returns: the file of `tests.test_app.TestThing`: what comes before the first name with a capital; else empty."""
    names = dotted.split(".")
    classes = next((index for index, name in enumerate(names) if name[:1].isupper()), len(names))
    return "/".join(names[:classes]) + ".py" if classes and "test" in names[classes - 1] else ""
