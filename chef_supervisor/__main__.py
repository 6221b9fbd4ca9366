"""argv -> settings -> run the tree; the exit code says who must act (0 stopped, 70 us, 78 the configuration)."""

from __future__ import annotations

from chef_supervisor.cli import chef_supervisor


def main() -> None:
    """Run the command line; never returns."""
    chef_supervisor(prog_name="chef-supervisor")


if __name__ == "__main__":
    main()
