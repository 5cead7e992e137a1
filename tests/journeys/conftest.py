"""A real browser on a really served sample book. Skipped, and said, where Chromium or Playwright is not there."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

pytest.importorskip("playwright", reason="the browser lock is not installed (requirements/browser.txt)")
CHROMIUM = shutil.which("chromium")
if CHROMIUM is None:
    pytest.skip("no chromium on this machine", allow_module_level=True)

QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--no-first-run")  # fmt: skip
SOURCE = Path(__file__).resolve().parents[2] / "src"


class Installation:
    """An installation behind its own server, on a port and in a home of its own."""

    def __init__(self, home: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        kept = {key: value for key, value in os.environ.items() if not key.startswith("KEQUN_")}
        self.env = {**kept, "KEQUN_HOME": str(home), "PYTHONPATH": str(SOURCE), "PYTHONWARNINGS": ""}

    def start(self) -> None:
        words = [sys.executable, "-m", "kequn", "serve", "--port", str(self.port), "--workers", "1"]
        self.server = subprocess.Popen(words, env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{self.url}/health/ready/", timeout=5).close()
            except OSError:
                time.sleep(0.2)
            else:
                return
        raise TimeoutError(self.url)

    def stop(self) -> None:
        self.server.terminate()
        self.server.wait(timeout=60)


class Sample(Installation):
    """With sixty invented customers, and a login for each role."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        words = [sys.executable, "-m", "kequn", "demo", "--customers", "60"]
        subprocess.run(words, env=self.env, check=True, capture_output=True)
        rows = (home / "demo_logins.txt").read_text().splitlines()
        self.logins = {role: (name, password) for role, name, password in (row.split("\t") for row in rows)}


@pytest.fixture(scope="package")
def served(tmp_path_factory):
    installation = Sample(tmp_path_factory.mktemp("home"))
    installation.start()
    yield installation
    installation.stop()


@pytest.fixture(scope="package")
def browser():
    """Stopped with the last journey: the driver's event loop would forbid the database to every test after it."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield started
        started.close()


@pytest.fixture
def reader(browser, served):
    """Open the product as a role, in a language, at a width; every error of the console is kept."""
    contexts = []

    def opened(role: str, language: str = "zh-CN", width: int = 1280, *, scripts: bool = True):
        context = browser.new_context(
            viewport={"width": width, "height": 800}, locale=language, java_script_enabled=scripts
        )
        contexts.append(context)
        page = context.new_page()
        page.errors = []
        page.on("console", lambda message: page.errors.append(message.text) if message.type == "error" else None)
        page.goto(f"{served.url}/sign-in/")
        name, password = served.logins[role]
        page.fill("#id_username", name)
        page.fill("#id_password", password)
        page.click("main button.btn-primary")
        page.wait_for_load_state()
        page.locator("h1").wait_for()
        return page

    yield opened
    for context in contexts:
        context.close()
