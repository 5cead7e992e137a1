"""Which files of the front-end packages the pages may use.

Whole `dist` folders break `collectstatic`; so each file is named here, and nothing else of node_modules is served.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.core.checks import CheckMessage, Error
from django.core.files.storage import FileSystemStorage

FILES = ("@tabler/core/dist/css/tabler.min.css", "htmx.org/dist/htmx.min.js")
PREFIX = "vendor"


class FrontEndFinder(BaseFinder):
    """Serves the files named above under `vendor/`."""

    def __init__(self, *_args: Any, **_options: Any) -> None:
        self.root = Path(settings.FRONTEND_ROOT)
        self.storage = FileSystemStorage(location=str(self.root))
        self.storage.prefix = PREFIX

    def check(self, **_options: Any) -> list[CheckMessage]:
        return [
            Error(
                f"front-end file {name} is missing",
                hint="run: python3 dev.py demo --no-serve",
                id="kequn.E001",
            )
            for name in FILES
            if not (self.root / name).is_file()
        ]

    def find(self, path: str, find_all: bool = False, **_options: Any) -> Any:
        name = path.removeprefix(f"{PREFIX}/")
        found = str(self.root / name) if path.startswith(PREFIX) and name in FILES else None
        return ([found] if found else []) if find_all else found

    def list(self, _ignore_patterns: Any) -> Iterator[tuple[str, FileSystemStorage]]:
        for name in FILES:
            yield name, self.storage
