"""Started as `python3 -I /opt/chef/keeper STORE [STAGING]`: one JSON object in, one JSON object out."""

from __future__ import annotations

import json
import os
import sys

if not __package__:
    # A folder that is run is no package; its modules import each other relatively, as they do in the supervisor.
    _here = os.path.dirname(os.path.abspath(__file__))
    sys.path[0] = os.path.dirname(_here)
    __package__ = os.path.basename(_here)

from .serve import serve

if __name__ == "__main__":
    store, *staging = sys.argv[1:]
    answer = serve(json.loads(sys.stdin.buffer.readline()), store, staging[0] if staging else None)
    sys.stdout.write(json.dumps(answer) + "\n")
