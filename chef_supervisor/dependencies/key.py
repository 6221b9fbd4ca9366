"""The key of an install: equal for jobs that would install the same, and nobody can guess another one's."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import attrs

from chef_supervisor.domain.shelf import KEY_CHARS
from chef_supervisor.domain.work import Step, Work

# Rises when what an install does with the same ingredients changes.
_VERSION: Final = b"1"


@attrs.frozen(kw_only=True)
class Recipe:
    """
    All that decides what an install makes.

    Attributes:
        identity: what the box is made of, such as the image's id.
        works: what is done in it, with `{deps}` for the place.
        locked: all versions stood in a lock file.
        secrets: what the job brought to reach private registries; with any, `tenant` counts too.
    """

    identity: str
    works: tuple[Work, ...]
    locked: bool
    tenant: str
    secrets: Mapping[str, str] = attrs.field(factory=dict, repr=False)


def key_of(recipe: Recipe, secret: bytes, generation: int = 0) -> str:
    """
    Returns: 40 hexadecimal characters.

    `generation`: one that expired may still be in use, so the next of the same recipe needs a place of its own.
    """
    digest = hmac.new(secret, digestmod=hashlib.sha256)
    for part in _parts(recipe, generation):
        # With its length, so that no two lists of parts give the same bytes.
        digest.update(b"%d:" % len(part))
        digest.update(part)
    return digest.hexdigest()[:KEY_CHARS]


def _parts(recipe: Recipe, generation: int) -> Iterator[bytes]:
    yield from (_VERSION, b"%d" % generation, _text(recipe.identity), b"%d" % recipe.locked)
    yield from _group([part for work in recipe.works for part in _parts_of(work)])
    yield from _group([_text(recipe.tenant), *_pairs(recipe.secrets)] if recipe.secrets else [])


def _parts_of(work: Work) -> Iterator[bytes]:
    yield _text(work.root)
    yield from _group(_pairs(work.env))
    yield from _group([part for path, content in sorted(work.files.items()) for part in (_text(path), content)])
    yield from _group([part for step in work.steps for part in _parts_of_step(step)])


def _parts_of_step(step: Step) -> Iterator[bytes]:
    yield from (_text(step.cwd), b"%d" % step.keep_going)
    yield from _group(list(map(_text, step.argv)))
    yield from _group(_pairs(step.env))


def _pairs(pairs: Mapping[str, str]) -> list[bytes]:
    return [_text(part) for pair in sorted(pairs.items()) for part in pair]


def _group(parts: Sequence[bytes]) -> Iterator[bytes]:
    # With their number, so that the end of one group is never taken for the beginning of the next.
    yield b"%d" % len(parts)
    yield from parts


def _text(text: str) -> bytes:
    return text.encode(errors="surrogatepass")
