"""
A deployment of Convex as far as HTTP can tell: its addresses, keys, forms, answers and limits.

As in crates/local_backend/src/{public_api,authentication}.rs, crates/common/src/version.rs and the npm client's
http_client.ts; that client is driven against it in tests/integration/webhooks.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import attrs
import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.kit.convex_keys import Caller, Refused, caller_of, check_client
from tests.kit.convex_rules import Unfit, check_document, exported, imported, parsed

_KINDS: Final = ("query", "mutation", "action", "function")
_PATH: Final = re.compile(r"[\w./-]+(:\w+)?", re.ASCII)
_MOST_BODY_BYTES: Final = (16 << 20) + 2000
# Codes by status; several stand for 503 (crates/errors/src/lib.rs).
CODES: Final = {
    400: "BadRequest",
    401: "BadAdminKey",
    403: "BadDeployKey",
    404: "NotFound",
    408: "ClientDisconnect",
    409: "Conflict",
    421: "MisdirectedRequest",
    425: "TooEarly",
    429: "RateLimited",
    500: "InternalServerError",
    503: "OptimisticConcurrencyControlFailure",
}


class Thrown(Exception):
    """What a function throws: the data of a ConvexError reaches the caller, other errors are hidden from it."""

    def __init__(self, data: Any = None, message: str = "[Request ID: 0123456789abcdef] Server Error") -> None:
        super().__init__(message)
        self.data = data


@attrs.frozen(kw_only=True)
class Function:
    """One of the user's. `fields`: its arguments, and whether each must be there; None = it takes any."""

    run: Callable[[dict[str, Any]], Any]
    kind: str = "mutation"
    public: bool = False
    fields: Mapping[str, bool] | None = None


@attrs.frozen(kw_only=True)
class Taken:
    """A call that came to a function."""

    kind: str
    path: str
    args: dict[str, Any]
    caller: Caller
    client: str


@attrs.define(eq=False)
class ConvexDouble:
    """
    `keys`: admin keys without their prefix, and whether they may call functions. `failing`: the status and headers of
    every answer; `error_status`: under which a function's error comes.
    """

    functions: dict[str, Function] = attrs.field(factory=dict)
    keys: dict[str, bool] = attrs.field(factory=dict)
    taken: list[Taken] = attrs.field(factory=list)
    documents: list[dict[str, Any]] = attrs.field(factory=list)
    failing: tuple[int, dict[str, str]] | None = None
    error_status: int = 200
    log_lines: list[str] = attrs.field(factory=list)
    requests: int = 0
    url: str = ""

    def store(self, document: dict[str, Any]) -> str:
        """Returns: its id. What Convex would not store is thrown, as `ctx.db.insert` does."""
        try:
            check_document(document)
        except Unfit as error:
            raise Thrown from error
        self.documents.append(document)
        return f"document{len(self.documents)}"

    async def answer(self, request: Request) -> Response:
        self.requests += 1
        if self.failing is not None:
            status, headers = self.failing
            return JSONResponse({"code": CODES.get(status, "Other"), "message": "made to fail"}, status, headers)
        try:
            return self._answer(request, await request.body())
        except Refused as refused:
            return JSONResponse({"code": refused.code, "message": str(refused)}, refused.status)

    def _answer(self, request: Request, body: bytes) -> Response:
        if request.path_params.get("kind", "function") not in _KINDS:
            raise Refused(404, "NotFound")
        client = check_client(request.headers.get("convex-client"))
        caller = caller_of(request.headers.get("authorization"), request.query_params.get("adminKey"), self.keys)
        call = _call_in(request, body)
        kind, path = request.path_params.get("kind", "function"), _path_of(request, call)
        args, form = _args_in(call), call.get("format", "json")
        try:
            function = self._function(path, kind, caller)
            self.taken.append(Taken(kind=kind, path=path, args=args, caller=caller, client=client))
            _check_fields(function, args)
            value = exported(function.run(args), form)
        except Thrown as thrown:
            return self._error(thrown, form)
        return self._told({"status": "success", "value": value}, 200)

    def _function(self, path: str, kind: str, caller: Caller) -> Function:
        function = self.functions.get(path if ":" in path else f"{path}:default")
        if function is None or not (function.public or caller.admin):
            raise Thrown(message=f"Could not find public function for '{path}'. Did you forget to deploy?")
        if kind not in (function.kind, "function"):
            raise Thrown(message=f"Trying to execute {path} as {kind}, but it is defined as {function.kind}.")
        return function

    def _error(self, thrown: Thrown, form: str) -> Response:
        told: dict[str, Any] = {"status": "error", "errorMessage": str(thrown)}
        if thrown.data is not None:
            told["errorData"] = exported(thrown.data, form)
        return self._told(told, self.error_status)

    def _told(self, told: dict[str, Any], status: int) -> Response:
        lines = {"logLines": self.log_lines} if self.log_lines else {}
        return Response(orjson.dumps({**told, **lines}), status, media_type="application/json")


def _call_in(request: Request, body: bytes) -> dict[str, Any]:
    if len(body) > _MOST_BODY_BYTES:
        raise Refused(413, "PayloadTooLarge")
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        raise Refused(400, "BadJsonBody")
    try:
        call = parsed(body)
    except Unfit as error:
        raise Refused(400, "BadJsonBody") from error
    if not isinstance(call, dict) or "args" not in call:
        raise Refused(400, "BadJsonBody")
    return call


def _path_of(request: Request, call: dict[str, Any]) -> str:
    if "rest" in request.path_params:
        module, _, name = request.path_params["rest"].rpartition("/")
        path: object = f"{module}:{name}"
    else:
        path = call.get("path")
    if not isinstance(path, str) or not _PATH.fullmatch(path):
        raise Refused(400, "BadConvexFunctionIdentifier")
    return path


def _args_in(call: dict[str, Any]) -> dict[str, Any]:
    args = call["args"]
    if isinstance(args, list) and len(args) == 1:
        args = args[0]
    if not isinstance(args, dict):
        raise Refused(400, "BadArgs")
    try:
        return dict(imported(args))
    except Unfit as error:
        raise Refused(400, "BadArgs") from error


def _check_fields(function: Function, args: dict[str, Any]) -> None:
    if function.fields is None:
        return
    needed = {name for name, must in function.fields.items() if must}
    if not needed <= args.keys() <= function.fields.keys():
        # Before the function's own code runs.
        raise Thrown(message="ArgumentValidationError: Object is missing a field, or has an extra one.")


@asynccontextmanager
async def convex_double() -> AsyncIterator[ConvexDouble]:
    """Yields: one that listens on a free port of this machine."""
    double = ConvexDouble()
    routes = [
        Route("/api/run/{rest:path}", double.answer, methods=["POST"]),
        Route("/api/{kind:str}", double.answer, methods=["POST"]),
    ]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        double.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        server = uvicorn.Server(uvicorn.Config(Starlette(routes=routes), log_config=None, lifespan="off"))
        async with asyncio.TaskGroup() as group:
            group.create_task(server._serve(sockets=[listener]))
            try:
                yield double
            finally:
                server.should_exit = True
