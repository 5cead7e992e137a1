"""Running a command of Kequn inside the test process, as a terminal would."""

import sys
from pathlib import Path

from kequn import cli


def run_assess(source: Path, output: Path, *options: str) -> int:
    """`kequn assess SOURCE -o OUTPUT ...`: its exit code."""
    return run("assess", str(source), "-o", str(output), *options)


def run(*arguments: str) -> int:
    before = sys.argv
    sys.argv = ["kequn", *arguments]
    try:
        cli.main()
    except SystemExit as ended:
        return int(ended.code or 0)
    finally:
        sys.argv = before
    return 0
