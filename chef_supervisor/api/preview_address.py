"""Where previews are: the host names they are asked under, and the way there from the API."""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping

import attrs
from starlette.responses import Response
from starlette.types import Scope

from chef_supervisor.api.hosts import Host, host_of
from chef_supervisor.domain.errors import UnknownJob
from chef_supervisor.domain.job import JobId
from chef_supervisor.domain.label import job_of, label_of


@attrs.frozen
class PreviewHosts:
    """The names below `suffix`, and the suffix itself; none at all where it is empty."""

    suffix: str

    def are_asked(self, host: Host | None) -> bool:
        """Returns: whether a request to that host is for one of them, and so never for the API."""
        return bool(self.suffix) and host is not None and f".{host.name}".endswith(f".{self.suffix}")

    def job_of(self, scope: Scope) -> JobId:
        """
        Returns: the job whose site is asked for.

        Raises:
            UnknownJob: the host is the preview of none.
        """
        host = host_of(scope)
        label = host.name.removesuffix(self.suffix).removesuffix(".") if host is not None else ""
        return job_of(label)

    def address_of(self, job_id: JobId, scope: Scope) -> str:
        """
        Returns: `//<label>.preview.localhost:3001/`: by the scheme and port that the caller used, which a proxy in
            front may have changed on the way here.
        """
        host = host_of(scope)
        if host is None or not self.suffix:
            raise UnknownJob(job_id)
        return f"//{label_of(job_id)}.{self.suffix}{host.port}/"


def redirect_to(path: str, headers: Mapping[str, str]) -> Response:
    """Returns: the way to another path of the same origin; no path of two slashes, which would be another host."""
    location = urllib.parse.quote("/" + path.strip("/") + "/")
    return Response(None, 307, {**headers, "location": location})
