"""What holds for all tests."""

from __future__ import annotations

from hypothesis import settings

# How long an example takes tells how busy the machine is, and nothing of what is tested.
settings.register_profile("chef", deadline=None)
settings.load_profile("chef")
