"""The `kequn` command. Thin: each file holds one noun and calls the floors below.

Exit codes: 0 done, 1 the data was refused (and why), 2 misuse. Messages go to standard error in the language
of KEQUN_LANG (zh or en), answers to standard output.
"""

import importlib
import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import typer

from kequn.domain.errors import KequnError, Language, Misuse, Refused, Text

COMMANDS = (
    "assess",
    "assets",
    "bench",
    "explain",
    "finance",
    "importing",
    "model",
    "operation",
    "policy",
    "project",
    "ratings",
    "report",
    "rules",
    "running",
    "sample",
    "search",
    "people",
)


def language() -> Language:
    """The language of messages on this terminal: KEQUN_LANG, else the locale, else English."""
    wanted = os.environ.get("KEQUN_LANG") or os.environ.get("LANG", "")
    return "zh" if wanted.lower().startswith("zh") else "en"


def build() -> typer.Typer:
    app = typer.Typer(
        name="kequn",
        help="Know the customers of project finance and corporate lending. 客群：认识公司与项目融资的客户。",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    for name in COMMANDS:
        if importlib.util.find_spec(f"kequn.cli.{name}") is not None:
            importlib.import_module(f"kequn.cli.{name}").register(app)
    return app


def writable(path: Path) -> Path:
    """A file that is to be written: its folder must be there before any work is done."""
    if not path.parent.is_dir():
        raise Misuse(Text(f"没有文件夹 {path.parent}", f"there is no folder {path.parent}"))
    return path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A file of the same name to write beside `path`, which takes its place where all goes well; else it stays."""
    with TemporaryDirectory(prefix=".kequn-", dir=writable(path).parent) as folder:
        fresh = Path(folder) / path.name
        yield fresh
        fresh.replace(path)


def refuse(error: KequnError) -> int:
    """Print a refusal with every place it names; the exit code it means."""
    spoken = language()
    print(error.text.in_language(spoken), file=sys.stderr)
    if isinstance(error, Refused):
        for finding in error.findings:
            print("  " + finding.in_language(spoken), file=sys.stderr)
        return 1
    return 2


def main() -> None:
    try:
        build()()
    except KequnError as error:
        sys.exit(refuse(error))
    except OSError as error:
        if error.filename is None:
            raise
        place, why = str(error.filename), error.strerror or ""
        sys.exit(refuse(Misuse(Text(f"无法读写 {place}：{why}", f"cannot read or write {place}: {why}"))))


if __name__ == "__main__":
    main()
