"""The scripts of the repository are modules here, and JavaScript runs in Node where there is one."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import kinograph
import pytest

ROOT = Path(kinograph.__file__).parent
sys.path.insert(0, str(ROOT / "scripts"))


@pytest.fixture(scope="session")
def javascript():
    """Run the body of an async function that sees `web(name)`, a module of web/; its result comes back."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node is not installed: the logic of web/ is tested in the browser only")

    def run(body: str, **given: object) -> object:
        base = (ROOT / "web").as_uri()
        script = (
            f"const web = (name) => import({json.dumps(base)} + '/' + name);\n"
            f"const given = {json.dumps(given)};\n"
            f"const main = async () => {{ {body} }};\n"
            "main().then((found) => console.log(JSON.stringify(found)));\n"
        )
        command = [node, "--input-type=module", "--no-warnings", "--eval", script]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run
