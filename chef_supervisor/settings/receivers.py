"""Who is told of jobs: Convex, an endpoint, and what jobs may name themselves."""

from __future__ import annotations

import enum
from typing import Final

import attrs

from chef_supervisor.settings import checks

_HOW: Final = "make one with: echo whsec_$(openssl rand -base64 32)"


class ConvexKind(enum.StrEnum):
    """What the user's functions in Convex are."""

    MUTATION = "mutation"
    ACTION = "action"


@attrs.frozen(kw_only=True)
class ConvexSettings:
    """`url` empty: Convex is not told of jobs."""

    url: str = attrs.field()
    deploy_key: str = attrs.field(repr=False)
    result_function: str
    progress_function: str
    kind: ConvexKind
    progress: bool

    @url.validator
    def _has_an_address(self, _attribute: object, url: str) -> None:
        if self.deploy_key and not url:
            msg = "must be set where CONVEX_DEPLOY_KEY is, such as https://<name>.convex.cloud"
            raise ValueError(msg)

    @deploy_key.validator
    def _has_a_key(self, _attribute: object, deploy_key: str) -> None:
        # Without one only public functions could be called, and anybody could report results.
        if self.url and not deploy_key:
            msg = "must be set where CONVEX_URL is: a deploy key from the dashboard (Settings, URL & Deploy Key)"
            raise ValueError(msg)


@attrs.frozen(kw_only=True)
class WebhookSettings:
    """
    `url`: one endpoint that is told of all jobs; empty: none. `callback_hosts`: where jobs may ask to be told; empty:
    nowhere. Requests are signed with each of the secrets, callbacks with what is made of theirs for each host.
    """

    # An address may hold a token.
    url: str = attrs.field(repr=False)
    secrets: tuple[str, ...] = attrs.field(repr=False)
    progress: bool
    concurrency: int = attrs.field(validator=checks.between(1, 100))
    callback_hosts: tuple[str, ...]
    callback_secrets: tuple[str, ...] = attrs.field(repr=False)
    callback_progress: bool

    @secrets.validator
    def _signs_what_it_sends(self, _attribute: object, secrets: tuple[str, ...]) -> None:
        if self.url and not secrets:
            msg = f"must hold a secret where webhooks.url is set; {_HOW}"
            raise ValueError(msg)

    @callback_secrets.validator
    def _signs_callbacks(self, _attribute: object, secrets: tuple[str, ...]) -> None:
        if self.callback_hosts and not secrets:
            msg = f"must hold a secret where webhooks.callback_hosts is set; {_HOW}"
            raise ValueError(msg)
        # The endpoint of the settings hears of all jobs: what it is signed with must be nobody else's.
        if not set(secrets).isdisjoint(self.secrets):
            msg = f"must hold no secret that is in webhooks.secrets too; {_HOW}"
            raise ValueError(msg)
