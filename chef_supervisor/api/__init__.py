"""The HTTP side: endpoints over the job store, the feed of events, and the server that carries them."""

from chef_supervisor.api.app import make_app
from chef_supervisor.api.dependencies import ApiDependencies, HealthReport, HealthSource
from chef_supervisor.api.feed import EventFeed
from chef_supervisor.api.process_health import ProcessHealth
from chef_supervisor.api.server import Server

__all__ = ["ApiDependencies", "EventFeed", "HealthReport", "HealthSource", "ProcessHealth", "Server", "make_app"]
