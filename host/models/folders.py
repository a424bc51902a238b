"""Where model files go: the models directory of the ComfyUI around the pack, else the embedded host's."""

from __future__ import annotations

from pathlib import Path

PACK = Path(__file__).absolute().parents[2]


def models_directory(pack: Path = PACK) -> Path:
    """The models directory that a node of this pack would look in when run from here.

    Args:
        pack: the pack's folder; where it lies in the `custom_nodes` of a ComfyUI, that one's is meant.
    """
    comfyui = pack.parent.parent
    if pack.parent.name == "custom_nodes" and (comfyui / "models").is_dir():
        return comfyui / "models"
    from ..api.install import install

    install()
    import folder_paths

    return Path(folder_paths.models_dir)
