"""Started as `python3 -I /opt/chef/agent`: says hello first and imports the rest while the files are on their way."""

from __future__ import annotations

import os
import sys

if not __package__:
    # A folder that is run is no package; its modules import each other relatively, as they do in the supervisor.
    _here = os.path.dirname(os.path.abspath(__file__))
    sys.path[0] = os.path.dirname(_here)
    __package__ = os.path.basename(_here)

from .channel import Channel
from .frames import HELLO, HELLO_PAYLOAD

if __name__ == "__main__":
    channel = Channel.take_over_stdio()
    channel.send(HELLO, HELLO_PAYLOAD)
    from .main import main

    sys.stdout.flush()
    os._exit(main(channel))
