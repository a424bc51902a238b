"""The host, opened: folders chosen, packs loaded, their nodes known."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .commands import UsageError
from .writable import obstacle

if TYPE_CHECKING:
    from .execution.definition import NodeDefinition
    from .packs import Pack


@dataclass
class Session:
    """The packs of this process.

    definitions: every node by its id.
    problems: what could not be loaded, and node ids that two packs claim.
    """

    definitions: dict[str, NodeDefinition] = field(default_factory=dict)
    pack_of: dict[str, str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def add(self, pack: Pack) -> None:
        """Take in a pack's nodes; an id that is there already keeps its first owner, as in ComfyUI."""
        from .execution.definition import define

        self.problems += pack.problems
        for node_id, definition in define(pack.nodes, pack.display_names).items():
            owner = self.pack_of.setdefault(node_id, pack.name)
            if owner == pack.name:
                self.definitions[node_id] = definition
            else:
                self.problems.append(f"{pack.name}: its node {node_id} is left out, {owner} has one")

    def object_info(self) -> dict[str, Any]:
        """ComfyUI's /object_info of these nodes."""
        from .execution.definition import object_info

        return object_info(self.definitions)


def open_session(
    packs: Iterable[Path] = (), *, input_folder: Path | None = None, output_folder: Path | None = None
) -> Session:
    """Install the stand-ins for ComfyUI, choose the folders and load the packs.

    Args:
        packs: folders of further packs.
        input_folder, output_folder: in place of those below $KINOGRAPH_HOME, else the working directory.

    Raises:
        UsageError: a folder is missing, a pack cannot be loaded, or a real ComfyUI is importable here.
    """
    from .api.install import install

    if not install():
        raise UsageError("a ComfyUI is importable here; start kinograph from another folder or environment")
    import folder_paths

    from .packs import load_core, load_kinograph, load_pack

    if input_folder is not None:
        if not input_folder.is_dir():
            raise UsageError(f"--input {input_folder} is not a folder; name one that exists")
        folder_paths.set_input_directory(str(input_folder))
    if output_folder is not None:
        if reason := obstacle(output_folder):
            raise UsageError(f"--output {output_folder}: {reason}; name a folder of yours")
        folder_paths.set_output_directory(str(output_folder))
    session = Session()
    session.add(load_core())
    session.add(load_kinograph())
    for folder in packs:
        if not folder.exists():
            raise UsageError(f"--pack {folder} does not exist; name the pack's own folder")
        with redirect_stdout(sys.stderr):  # what a pack prints is no part of our output
            session.add(load_pack(folder))
    return session
