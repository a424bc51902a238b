"""One file per sub-command of `kinograph`.

Each module offers `add_arguments(parser)` and `run(options) -> int`, the exit code: 0 done, 1 a node or a
check failed, 2 bad arguments or an invalid graph. A `UsageError` is printed and becomes exit code 2.
"""

from __future__ import annotations

import argparse
from pathlib import Path


class UsageError(Exception):
    """The command cannot start as asked; the message says what was found, what is needed and the remedy."""


def add_pack_option(parser: argparse.ArgumentParser | argparse._MutuallyExclusiveGroup) -> None:
    """`--pack DIR`, any number of times."""
    parser.add_argument(
        "--pack",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="another pack whose nodes to load",
    )
