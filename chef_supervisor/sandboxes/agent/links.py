"""Real, writable `node_modules` folders in the workspace, of links into installed ones that cannot be written."""

from __future__ import annotations

import os

_MODULES = "node_modules"
# Source: Node.js documentation, module.enableCompileCache.
_COMPILED = "node-compile-cache"
_SMALL = 4 << 20
# Folders that tools write into: each project gets its own instead of a link to a read-only one.
_NOT_LINKED = {".bin", ".cache", ".vite", ".vite-temp", ".tmp"}


def link_modules(root: str, links_from: str) -> None:
    """
    Make `root`/node_modules of links into `links_from`/node_modules, and likewise in the folders of a workspace's packages.

    What the project brought itself stays. Scopes (`@scope`) and `.bin` become real folders too, so that a package can be
    added beside the others.
    """
    for folder, names, _ in os.walk(links_from):
        if _MODULES in names:
            beside = os.path.normpath(os.path.join(root, os.path.relpath(folder, links_from)))
            _link_folder(os.path.join(folder, _MODULES), os.path.join(beside, _MODULES))
        # Beside them an install has manifests only, and what its tools keep for themselves.
        names[:] = [name for name in names if name != _MODULES and not name.startswith(".")]


def link_compiled(links_from: str, temporary: str) -> None:
    """Let node find what it compiled of installed tools, where it was kept; it looks in the folder for temporary files."""
    compiled = os.path.join(links_from, ".chef", _COMPILED)
    if os.path.isdir(compiled):
        os.symlink(compiled, os.path.join(temporary, _COMPILED))


def _link_folder(source: str, target: str) -> None:
    os.makedirs(target, exist_ok=True)
    for entry in os.scandir(source):
        if entry.name.startswith("@"):
            _link_all(entry.path, os.path.join(target, entry.name), source, target)
        elif entry.name.startswith(".") and entry.is_file(follow_symlinks=False):
            _copy_small(entry.path, os.path.join(target, entry.name))
        elif entry.name not in _NOT_LINKED:
            _link(entry.path, os.path.join(target, entry.name), source, target)
    if os.path.isdir(os.path.join(source, ".bin")):
        _link_all(os.path.join(source, ".bin"), os.path.join(target, ".bin"), source, target)


def _link_all(source_folder: str, target_folder: str, source: str, target: str) -> None:
    os.makedirs(target_folder, exist_ok=True)
    for entry in os.scandir(source_folder):
        _link(entry.path, os.path.join(target_folder, entry.name), source, target)


def _link(path: str, link: str, source: str, target: str) -> None:
    points_to = path
    if os.path.islink(path):
        resolved = os.path.normpath(os.path.join(os.path.dirname(path), os.readlink(path)))
        if resolved.startswith(source + "/"):
            points_to = resolved
        else:
            # A package of the project itself (`npm workspaces`): the same way from here leads to its files.
            points_to = os.path.join(target, os.path.relpath(resolved, source))
            points_to = os.path.normpath(points_to)
    try:
        os.symlink(points_to, link)
    except FileExistsError:
        pass


def _copy_small(path: str, copy: str) -> None:
    with open(path, "rb") as original:
        content = original.read(_SMALL)
    try:
        with open(copy, "xb") as file:
            file.write(content)
    except FileExistsError:
        pass
