"""Any JSON, also what only a lenient reader of it lets through."""

from __future__ import annotations

from typing import Any, Final

from hypothesis import strategies as st

# Half characters, control characters, `$` and `_` in front.
_TEXT: Final = st.text(max_size=8) | st.sampled_from(
    ["$integer", "_id", "src/\u6587.ts", "\ud800", "\ud83d\ude00", "ok", "a b"]
)
_NUMBERS: Final = st.integers() | st.floats()
ANY_JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | _NUMBERS | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=30,
)
