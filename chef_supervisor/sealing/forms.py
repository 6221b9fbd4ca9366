"""The forms in which a secret value is printed: itself, the secrets inside it, and what encodings make of them."""

from __future__ import annotations

import base64
import binascii
import itertools
import json
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import quote, quote_plus, unquote_to_bytes

# Shorter ones are no secrets, and their letters stand everywhere.
_SHORTEST: Final = 4
# Of what is a part of a value; words of a language are shorter than most tokens.
_SHORTEST_PART: Final = 8
# Twice the lines of the longest keys in use; each one is looked for.
_MOST_PARTS: Final = 200
# A name this long beside a password is a token, too, more often than a name.
_LONG_NAME: Final = 20
_PERCENT: Final = re.compile(rb"%[0-9A-F]{2}")
# Up to the last @ before the path: a password may have one in it.
_USER_OF_URL: Final = re.compile(rb"://([^/?#\s]+)@")


def forms_of(value: str) -> Iterator[bytes]:
    """Yields: what stands for the secret wherever tools print it; nothing for one of fewer than 4 bytes."""
    whole = value.encode(errors="surrogatepass")
    for secret in (whole, *_credentials_in(whole)):
        if len(secret) >= _SHORTEST:
            yield from _encodings(secret)
    # A tool that prints line by line indents them; of a list of addresses each is told by itself.
    parts = (*whole.splitlines(), *re.split(rb"[\s,]+", whole))
    yield from [part for part in parts if len(part) >= _SHORTEST_PART][:_MOST_PARTS]


def _credentials_in(value: bytes) -> Iterator[bytes]:
    for match in itertools.islice(_USER_OF_URL.finditer(value), _MOST_PARTS):
        yield from _credentials(match[1])
    yield from _credentials_in_base64(value)


def _credentials(user: bytes) -> Iterator[bytes]:
    """Yields: what is secret of `name:password` in a URL, as it stands there and as it is meant."""
    name, _, password = user.partition(b":")
    for text in (password, name) if not password or len(name) >= _LONG_NAME else (password,):
        yield text
        yield unquote_to_bytes(text)


def _credentials_in_base64(value: bytes) -> Iterator[bytes]:
    # npm has passwords (`_password`) and pairs (`_auth`) in that form, and sends them in another.
    try:
        meant = base64.b64decode(value.strip(), validate=True)
    except (binascii.Error, ValueError):
        return
    if len(meant) >= _SHORTEST_PART and meant.isascii() and meant.decode().isprintable():
        yield meant
        yield meant.partition(b":")[2]


def _encodings(value: bytes) -> Iterator[bytes]:
    yield value
    quoted = quote(value, safe="").encode()
    yield quoted
    yield _PERCENT.sub(lambda match: match[0].lower(), quoted)
    yield quote_plus(value).encode()
    yield json.dumps(value.decode(errors="surrogateescape"))[1:-1].encode()
    yield from _base64_forms(value)


def _base64_forms(value: bytes) -> Iterator[bytes]:
    """Yields: what base64 makes of it wherever it stands in a longer text (`user:token`), without what depends on that."""
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + value)
        first = (before * 8 + 5) // 6
        last = (before + len(value)) * 8 // 6
        inner = encoded[first:last]
        if len(inner) >= _SHORTEST:
            yield inner
            yield inner.translate(bytes.maketrans(b"+/", b"-_"))
