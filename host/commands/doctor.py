"""`kinograph doctor`: check this machine."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

MARKS = {"ok": "ok     ", "absent": "absent ", "problem": "PROBLEM"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Only the form of the report."""
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")


def run(options: argparse.Namespace) -> int:
    """Print every finding as it is made; 1 where one of them is a problem."""
    from ..api.install import install
    from ..doctor import examine

    install()
    findings = []
    for finding in examine():
        findings.append(finding)
        print(f"{MARKS[finding.state]} {finding.subject:18} {finding.found}", flush=True)
        if finding.remedy:
            print(f"        {'':18} → {finding.remedy}", flush=True)
    problems = sum(finding.state == "problem" for finding in findings)
    print("No problem found." if not problems else f"{problems} problem(s) found.")
    if options.json:
        print(json.dumps({"problems": problems, "findings": [asdict(finding) for finding in findings]}))
    return 1 if problems else 0
