"""argv -> settings -> run the tree; the exit code says who must act (0 stopped, 70 us, 78 the configuration)."""

from __future__ import annotations

from chef_supervisor.cli import chef_supervisor
from chef_supervisor.leaving import leave


def main() -> None:
    """Run the command line; never returns."""
    try:
        chef_supervisor(prog_name="chef-supervisor")
    except SystemExit as end:
        # Its own exit would wait for threads.
        leave(end.code if isinstance(end.code, int) else int(end.code is not None))


if __name__ == "__main__":
    main()
