"""Adapters that run a project's steps in isolation. Nobody else imports `docker`."""
