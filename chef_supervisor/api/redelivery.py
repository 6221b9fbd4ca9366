"""`POST /api/jobs/:id/redeliver`: the end of a job is told again."""

from __future__ import annotations

import logging
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from chef_supervisor.api.body import read_body
from chef_supervisor.api.dependencies import ApiDependencies
from chef_supervisor.api.own_page import require_own_page
from chef_supervisor.api.promptly import promptly
from chef_supervisor.api.query import read_query
from chef_supervisor.api.responses import json_response
from chef_supervisor.api.strict_json import parse_json
from chef_supervisor.domain.errors import Unprocessable
from chef_supervisor.domain.subscriber import ReceiverName

_BODY_BYTES: Final = 1024
_MAX_SHOWN: Final = 50

logger = logging.getLogger("chef.api")


class Redelivery:
    """The endpoint."""

    def __init__(self, deps: ApiDependencies) -> None:
        self._deps = deps

    async def start(self, request: Request) -> Response:
        """Tell one receiver of the job its end again, or all; 202, for they are told afterwards."""
        # It needs no body, so any page may send it; one that a job built knows the id of that job.
        require_own_page(request, self._deps.settings.http)
        read_query(request)
        job_id = self._deps.known_id(request.path_params["job_id"])
        receiver = _receiver(await read_body(request, _BODY_BYTES, self._deps.settings.http.body_timeout_s))
        async with promptly(self._deps.write_timeout_s):
            told = await self._deps.store.redeliver(job_id, receiver)
        if receiver is not None and not told:
            detail = f"is no receiver of job {job_id}; GET /api/jobs/{job_id} lists them as deliveries"
            raise Unprocessable("unknown_receiver", "receiver", detail)
        extra = {"event": "delivery.repeated", "job_id": job_id, "receivers": list(told)}
        logger.info("the end of %s is told again, to %s", job_id, ", ".join(told) or "nobody", extra=extra)
        return json_response({"redelivered": list(told)}, 202)


def _receiver(body: bytes) -> ReceiverName | None:
    asked = parse_json(body) if body.strip() else {}
    if not isinstance(asked, dict):
        raise Unprocessable("invalid_body", "", 'send no body, or a JSON object such as {"receiver": "convex"}')
    for key in asked:
        if key != "receiver":
            raise Unprocessable("unknown_field", key[:_MAX_SHOWN], "known here: receiver")
    if "receiver" not in asked:
        return None
    # An empty name is nobody's, and not everybody.
    if not isinstance(asked["receiver"], str) or not asked["receiver"]:
        raise Unprocessable("unknown_receiver", "receiver", "must be the name of a receiver, or be left out for all")
    return ReceiverName(asked["receiver"])
