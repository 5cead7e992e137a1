"""Typed readers of the environment. A bad value stops the start and names itself; a secret may come from a file."""

import os
import secrets
from datetime import time
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit


class BadSetting(Exception):
    """A variable of the environment that cannot be used, named with what was expected."""


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, default).strip()


def flag(name: str, *, default: bool) -> bool:
    value = text(name).lower()
    if not value:
        return default
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise BadSetting(f"{name}={value!r}: expected one of 1, true, yes, on, 0, false, no, off")


def number(name: str, *, default: int, least: int = 0) -> int:
    value = text(name)
    if not value:
        return default
    if not value.isdigit() or int(value) < least:
        raise BadSetting(f"{name}={value!r}: expected a whole number of at least {least}")
    return int(value)


def time_of_day(name: str) -> time | None:
    """An hour and minute, such as 03:00; None where nothing is set."""
    value = text(name)
    if not value:
        return None
    try:
        found = time.fromisoformat(value)
    except ValueError:
        found = None
    if found is None or found.tzinfo is not None:  # the zone is that of the installation
        raise BadSetting(f"{name}={value!r}: expected a time of day such as 03:00")
    return found


def choice(name: str, choices: tuple[str, ...]) -> str:
    """One of a few words; the first where nothing is set."""
    value = text(name).lower() or choices[0]
    if value not in choices:
        raise BadSetting(f"{name}={value!r}: expected one of {', '.join(choices)}")
    return value


def words(name: str, default: tuple[str, ...] = ()) -> list[str]:
    """A comma-separated list."""
    value = text(name)
    return [word.strip() for word in value.split(",") if word.strip()] if value else list(default)


def secret(name: str) -> str:
    """The variable itself, or the content of the file that NAME_FILE points to."""
    file = text(f"{name}_FILE")
    if not file:
        return text(name)
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise BadSetting(f"{name}_FILE={file!r}: {error.strerror}") from error


def kept_secret(file: Path) -> str:
    """A secret made once and kept in a file that only its owner may read."""
    if file.exists():
        return file.read_text(encoding="utf-8").strip()
    file.parent.mkdir(parents=True, exist_ok=True)
    made = secrets.token_urlsafe(48)
    fresh = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(made)
    try:
        os.link(fresh, file)  # two first starts at once: the first wins, both read the same
    except FileExistsError:
        pass
    finally:
        fresh.unlink()
    return file.read_text(encoding="utf-8").strip()


def private_home(folder: Path) -> Path:
    """The folder of everything that is not code, opened to its owner alone."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if folder.stat().st_uid == os.geteuid():
        folder.chmod(0o700)
    return folder


def sqlite(file: Path) -> dict[str, object]:
    """The embedded database: WAL, writers queue at BEGIN, a committed import survives a power cut (FULL).

    Only its owner may read it; the files that SQLite lays beside it take the same rights.
    """
    os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    if file.stat().st_uid == os.geteuid():
        file.chmod(0o600)
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(file),
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-65536;"
            " PRAGMA temp_store=MEMORY; PRAGMA mmap_size=268435456;",
        },
    }


def postgresql(url: str) -> dict[str, object]:
    """postgresql://user:password@host:port/name?sslmode=...; the password rather from a file."""
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"} or len(parts.path) < 2:
        raise BadSetting("KEQUN_DATABASE_URL: expected postgresql://user@host:port/name or nothing (SQLite)")
    options: dict[str, object] = dict(parse_qsl(parts.query))
    if flag("KEQUN_DATABASE_POOL", default=False):
        options["pool"] = True
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path[1:]),
        "USER": unquote(parts.username or ""),
        "PASSWORD": secret("KEQUN_DATABASE_PASSWORD") or unquote(parts.password or ""),
        "HOST": str(options.pop("host", "")) or unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "OPTIONS": options,
    }
