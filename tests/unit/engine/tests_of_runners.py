"""What each capture of a test runner holds: counts, and per failed test its name, its file and the place of its error."""

from __future__ import annotations

from typing import Final

import attrs


@attrs.frozen
class Failed:
    """A failed test. `place` is where its error was thrown; empty where nobody tells the file."""

    name: str
    file: str
    place: str = ""


@attrs.frozen(kw_only=True)
class Captured:
    """A capture, its reader, the runner, what it counts (passed, failed, skipped), and who failed."""

    name: str
    reader: str
    tool: str
    counts: tuple[int, int, int]
    failed: tuple[Failed, ...]


def captured(name: str, reader: str, tool: str, counts: tuple[int, int, int], *failed: Failed) -> Captured:
    """Returns: a row of the table."""
    return Captured(name=name, reader=reader, tool=tool, counts=counts, failed=failed)


FILE: Final = "(the whole file)"
VITEST: Final = (
    Failed(FILE, "src/broken.test.js", "src/broken.test.js:3:12"),
    Failed("math > adds", "src/math.test.js", "src/math.test.js:6:23"),
    Failed("math > goes deep", "src/math.test.js", "src/math.js:5:9"),
    Failed("math > compares objects", "src/math.test.js", "src/math.test.js:15:33"),
    Failed("never ends", "src/slow.test.js", "src/slow.test.js:2:1"),
    Failed("rejects", "src/slow.test.js", "src/slow.test.js:3:52"),
)
JEST: Final = (
    Failed("math > adds", "src/math.test.js", "src/math.test.js:5:23"),
    Failed("math > goes deep", "src/math.test.js", "src/math.js:3:9"),
    Failed("outside", "src/math.test.js", "src/math.test.js:15:24"),
    Failed(FILE, "src/missing.test.js", "src/missing.test.js:1:21"),
    Failed(FILE, "src/broken.test.js", "src/broken.test.js:2:0"),
)
_HOOK: Final = '"before all" hook for "never runs"'
NODE: Final = (
    Failed("adds", "test/math.test.js", "test/math.test.js:7:12"),
    Failed("goes deep", "test/math.test.js", "src/math.js:5:9"),
    Failed("inner", "test/math.test.js", "test/math.test.js:17:39"),
)
BUN: Final = (
    Failed("math > adds", "src/math.test.js", "src/math.test.js:6:23"),
    Failed("math > goes deep", "src/math.test.js", "src/math.js:5:33"),
)
PYTEST: Final = (
    Failed("test_setup", "tests/test_sums.py", "tests/test_sums.py:35:0"),
    Failed("test_adds", "tests/test_sums.py", "tests/test_sums.py:6:0"),
    Failed("test_deep", "tests/test_sums.py", "app/sums.py:9:0"),
    Failed("TestAll.test_in_class", "tests/test_sums.py", "tests/test_sums.py:18:0"),
    Failed("TestAll.test_many[2]", "tests/test_sums.py", "tests/test_sums.py:30:0"),
)
_COLLECTING: Final = (
    Failed(FILE, "tests/test_import.py", "tests/test_import.py:1:0"),
    Failed(FILE, "tests/test_syntax.py", "tests/test_syntax.py:2:0"),
)
CAPTURED: Final = (
    captured(
        "vitest5.txt", "vitest_text", "vitest", (1, 7, 2),
        *VITEST, Failed(FILE, "src/missing.test.js", "src/missing.test.js:2:1"),
    ),
    captured(
        "vitest5.json", "jest_json", "vitest", (1, 7, 2),
        *VITEST, Failed(FILE, "src/missing.test.js", "src/missing.test.js:0:0"),
    ),
    captured("jest30.txt", "jest_text", "jest", (1, 5, 2), *JEST),
    captured("jest30.json", "jest_json", "jest", (1, 5, 2), *JEST),
    captured(
        "mocha12.txt", "mocha_text", "mocha", (1, 5, 2),
        Failed("never ends", "test/math.test.js", "test/math.test.js:0:0"),
        Failed("math > goes deep", "src/math.js", "src/math.js:5:9"),
        Failed("math > compares", "test/math.test.js", "test/math.test.js:16:30"),
        Failed("math > sums > adds", "test/math.test.js", "test/math.test.js:8:14"),
        Failed(f"hooks > {_HOOK}", "test/math.test.js", "test/math.test.js:22:24"),
    ),
    captured(
        "mocha12.json", "mocha_json", "mocha", (1, 5, 2),
        Failed("never ends", "test/math.test.js", "test/math.test.js:0:0"),
        Failed("math > goes deep", "test/math.test.js", "src/math.js:5:9"),
        Failed("math > compares", "test/math.test.js", "test/math.test.js:16:30"),
        Failed("math sums > adds", "test/math.test.js", "test/math.test.js:8:14"),
        Failed(f"hooks > {_HOOK}", "test/math.test.js", "test/math.test.js:22:24"),
    ),
    captured(
        "mocha12-tap.txt", "tap", "tap", (1, 5, 2),
        Failed("never ends", ""),
        Failed("math goes deep", "src/math.js", "src/math.js:5:9"),
        Failed("math compares", "test/math.test.js", "test/math.test.js:16:30"),
        Failed("math sums adds", "test/math.test.js", "test/math.test.js:8:14"),
        Failed(f"hooks {_HOOK}", "test/math.test.js", "test/math.test.js:22:24"),
    ),
    captured(
        "vitest5-tap.txt", "tap", "tap", (1, 7, 2),
        Failed("src/broken.test.js", "src/broken.test.js", "src/broken.test.js:3:12"),
        Failed("src/missing.test.js", "src/missing.test.js", "src/missing.test.js:2:1"),
        Failed("adds", "src/math.test.js", "src/math.test.js:6:23"),
        Failed("goes deep", "src/math.js", "src/math.js:5:9"),
        Failed("compares objects", "src/math.test.js", "src/math.test.js:15:33"),
        Failed("never ends", "src/slow.test.js", "src/slow.test.js:2:1"),
        Failed("rejects", "src/slow.test.js", "src/slow.test.js:3:52"),
    ),
    captured(
        "ava7.txt", "ava_text", "ava", (2, 3, 2),
        Failed(FILE, "test/broken.test.js", "test/broken.test.js:0:0"),
        Failed("math > adds", "test/math.test.js", "test/math.test.js:5:5"),
        Failed("math > goes deep", "src/math.js", "src/math.js:5:9"),
    ),
    captured(
        "ava7-tap.txt", "tap", "tap", (2, 4, 2),
        Failed("SyntaxError: Unexpected token ';'", ""),
        Failed("test/broken.test.js exited with a non-zero exit code: 1", ""),
        Failed("math › adds", ""),
        Failed("math › goes deep", "src/math.js", "src/math.js:5:9"),
    ),
    captured(
        "node24-spec.txt", "node_text", "node", (1, 5, 2),
        *NODE, Failed("test/broken.test.js", "test/broken.test.js", "test/broken.test.js:1:1"),
    ),
    captured(
        "node24-tap.txt", "tap", "node", (1, 5, 2),
        *NODE, Failed("test/broken.test.js", "test/broken.test.js", "test/broken.test.js:1:1"),
    ),
    captured(
        "node24.xml", "junit", "node", (1, 5, 2),
        *NODE, Failed("test/broken.test.js", "test/broken.test.js", "test/broken.test.js:0:0"),
    ),
    captured(
        "bun1.txt", "bun_text", "bun", (1, 3, 2),
        *BUN, Failed(FILE, "src/broken.test.js", "src/broken.test.js:3:13"),
    ),
    captured(
        "bun1.xml", "junit", "bun", (1, 2, 2),
        Failed("adds", "src/math.test.js", "src/math.test.js:6:23"),
        Failed("goes deep", "src/math.test.js", "src/math.js:5:33"),
    ),
    captured("pytest9-long.txt", "pytest_text", "pytest", (2, 7, 2), *PYTEST, *_COLLECTING),
    captured("pytest9-short.txt", "pytest_text", "pytest", (2, 7, 2), *PYTEST, *_COLLECTING),
    captured("pytest9-xdist.txt", "pytest_text", "pytest", (2, 5, 2), *PYTEST),
    captured(
        "pytest9-all.xml", "junit", "pytest", (2, 7, 2),
        *(attrs.evolve(one, name=one.name.removeprefix("TestAll.")) for one in PYTEST), *_COLLECTING,
    ),
    captured(
        "unittest.txt", "unittest_text", "unittest", (1, 6, 2),
        Failed("test_import", "test_import.py", "test_import.py:1:0"),
        Failed("SetUp.setUpClass", "test_sums.py", "test_sums.py:33:0"),
        Failed("Sums.test_deep", "test_sums.py", "app/sums.py:9:0"),
        Failed("Sums.test_adds", "test_sums.py", "test_sums.py:8:0"),
        Failed("Sums.test_many (n=2)", "test_sums.py", "test_sums.py:27:0"),
        Failed("Sums.test_many (n=3)", "test_sums.py", "test_sums.py:27:0"),
    ),
    captured("unittest-none.txt", "unittest_text", "unittest", (0, 0, 0)),
)  # fmt: skip
