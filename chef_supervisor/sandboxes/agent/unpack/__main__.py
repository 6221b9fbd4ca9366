"""Started as `python3 -I /opt/chef/agent/unpack MAX_FILES MAX_FILE_BYTES MAX_TOTAL_BYTES` at the top of the workspace."""

from __future__ import annotations

import os
import sys

if not __package__:
    # As the agent beside it: a folder that is run is no package.
    _agent = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    sys.path[0] = os.path.dirname(_agent)
    __package__ = f"{os.path.basename(_agent)}.unpack"

from .main import main
from .rules import Limits

if __name__ == "__main__":
    sys.exit(main(os.getcwd(), Limits(*map(int, sys.argv[1:]))))
