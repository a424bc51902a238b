"""`kinograph serve`: the browser editor."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from . import UsageError, add_pack_option

if TYPE_CHECKING:
    from ..execution.caching import ClassicCache
    from ..server.serving import Options


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where to listen, who may connect, the folders, and what is kept between prompts."""
    add = parser.add_argument
    add("--port", type=int, default=8188, help="port to listen on; 0 picks a free one (default: 8188)")
    add(
        "--listen",
        action="append",
        metavar="ADDRESS",
        help="address to listen on instead of 127.0.0.1, 0.0.0.0 for all (may be given several times)",
    )
    add(
        "--token",
        default=os.environ.get("KINOGRAPH_TOKEN") or None,
        metavar="TOKEN",
        help="let in only those who know this token (default: $KINOGRAPH_TOKEN, none)",
    )
    add(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a further host name under which clients reach this machine",
    )
    add("--user-directory", type=Path, metavar="DIR", help="settings, workflows, history (default: …/user)")
    add("--input", type=Path, metavar="DIR", help="where loaders look and uploads go (default: …/input)")
    add("--output", type=Path, metavar="DIR", help="where savers write (default: …/output)")
    add("--front-end", type=Path, metavar="DIR", help="the editor's folder instead of the installed package")
    add("--max-upload-size", type=float, default=2048, metavar="MB", help="of one file (default: 2048)")
    add_pack_option(parser)
    _add_cache_options(parser)
    add("--disable-metadata", action="store_true", help="do not write the graph into the files")


def _add_cache_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_mutually_exclusive_group().add_argument
    add("--cache-classic", action="store_true", help="keep the results of the last prompt (the default)")
    add("--cache-lru", type=int, metavar="N", help="keep the N results used last")
    add("--cache-ram", type=float, metavar="GB", help="keep the results used last that fit into this memory")
    add("--cache-none", action="store_true", help="keep no results")


def run(options: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM; 2 where the server cannot start as asked."""
    try:
        import aiohttp  # noqa: F401
    except ModuleNotFoundError as error:
        raise UsageError('the server needs aiohttp: pip install "kinograph[host]"') from error
    from ..session import open_session

    logging.basicConfig(format="%(message)s", level=logging.INFO)
    if options.input is not None:
        options.input.mkdir(parents=True, exist_ok=True)
    session = open_session(options.pack, input_folder=options.input, output_folder=options.output)
    for problem in session.problems:
        print(f"warning: {problem}", file=sys.stderr)

    import folder_paths
    from comfy.cli_args import args

    from ..runner import temporary_folder
    from ..server.serving import serve

    args.disable_metadata = options.disable_metadata
    if options.user_directory is not None:
        folder_paths.set_user_directory(str(options.user_directory))
    with temporary_folder():
        asyncio.run(serve(session, _serving_options(options), _tell_address))
    return 0


def chosen_cache(options: argparse.Namespace) -> ClassicCache:
    """What keeps results between prompts."""
    from ..execution.caching import ClassicCache, MemoryCache, NoCache, RecentCache

    if options.cache_lru is not None:
        return RecentCache(options.cache_lru)
    if options.cache_ram is not None:
        return MemoryCache(int(options.cache_ram * 1e9))
    return NoCache() if options.cache_none else ClassicCache()


def _serving_options(options: argparse.Namespace) -> Options:
    from ..server.serving import Options

    return Options(
        listen=tuple(options.listen or ["127.0.0.1"]),
        port=options.port,
        token=options.token,
        host_names=tuple(options.allow_host),
        front_end=options.front_end,
        most_upload_bytes=int(options.max_upload_size * 1e6),
        cache=chosen_cache(options),
    )


def _tell_address(address: str) -> None:
    print(f"Kinograph: {address}", flush=True)
