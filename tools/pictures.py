"""The pictures of the guides: a demo home of its own, served, photographed in both languages at 1280 px.

    .venv/bin/python tools/pictures.py [FOLDER]     default docs/guide/pictures

Needs requirements/browser.txt and chromium. Pictures are brought to 128 colours; one above 150 kB stops the work.
"""

import base64
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
MOST_BYTES = 150_000
COLOURS = 128
PIXELS = """async data => {
    const picture = new Image(); picture.src = "data:image/png;base64," + data; await picture.decode();
    const canvas = document.createElement("canvas"); canvas.width = picture.width; canvas.height = picture.height;
    const drawing = canvas.getContext("2d"); drawing.drawImage(picture, 0, 0);
    const raw = drawing.getImageData(0, 0, canvas.width, canvas.height).data;
    let text = ""; for (let at = 0; at < raw.length; at += 32768) {
        text += String.fromCharCode(...raw.subarray(at, at + 32768)); }
    return [canvas.width, canvas.height, btoa(text)]; }"""
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
         "--disable-sync", "--no-first-run")  # fmt: skip
LOCALES = {"zh": "zh-CN", "en": "en-US"}
FILES = {
    "zh": "客户号,企业名称,注册国家,员工人数,注册资金\n"
    "N001,示例甲有限公司,CN,120,5000\nN002,示例乙有限公司,CN,不到百人,800\n",
    "en": "Client no,Company name,Country of incorporation,Headcount,Registered share capital\n"
    "N001,Example A Ltd,CN,120,5000\nN002,Example B Ltd,CN,under a hundred,800\n",
}


@contextmanager
def served(home: Path) -> Iterator[tuple[str, dict[str, tuple[str, str]]]]:
    """The address of a served sample book, and the login of each role."""
    env = {**os.environ, "KEQUN_HOME": str(home), "PYTHONPATH": str(ROOT / "src")}
    subprocess.run([sys.executable, "-m", "kequn", "demo", "--customers", "400"], env=env, check=True)
    rows = (home / "demo_logins.txt").read_text(encoding="utf-8").splitlines()
    logins = {role: (name, password) for role, name, password in (row.split("\t") for row in rows)}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "kequn", "serve", "--port", str(port)], env=env, stdout=subprocess.DEVNULL
    )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(address)
        yield address, logins
    finally:
        server.terminate()
        server.wait(timeout=30)


def wait_for(address: str) -> None:
    for _ in range(150):
        try:
            urllib.request.urlopen(f"{address}/health/ready/", timeout=2).close()  # noqa: S310 - our own server
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise TimeoutError(address)


def indexed(table: Page, picture: bytes) -> bytes:
    """The picture with a palette of its most frequent colours; every other colour becomes the nearest of them."""
    width, height, text = table.evaluate(PIXELS, base64.b64encode(picture).decode())
    pixels = np.frombuffer(base64.b64decode(text), np.uint8).reshape(-1, 4)[:, :3]
    colours, place, often = np.unique(pixels, axis=0, return_inverse=True, return_counts=True)
    palette = colours[np.argsort(-often)[:COLOURS]].astype(np.int32)
    nearest = np.array([np.abs(palette - one.astype(np.int32)).sum(axis=1).argmin() for one in colours], np.uint8)
    rows = np.zeros((height, width + 1), np.uint8)  # each row begins with its filter: none
    rows[:, 1:] = nearest[place.reshape(-1)].reshape(height, width)

    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
        (b"PLTE", palette.astype(np.uint8).tobytes()),
        (b"IDAT", zlib.compress(rows.tobytes(), 9)),
        (b"IEND", b""),
    )
    chunks = (
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


class Album:
    """The pictures of one language."""

    def __init__(self, page: Page, table: Page, address: str, logins: dict[str, tuple[str, str]], folder: Path) -> None:
        self.page, self.table, self.address, self.logins, self.folder = page, table, address, logins, folder
        folder.mkdir(parents=True, exist_ok=True)

    def sign_in(self, role: str) -> None:
        self.page.context.clear_cookies()
        self.page.goto(f"{self.address}/sign-in/")
        name, password = self.logins[role]
        self.page.fill("#id_username", name)
        self.page.fill("#id_password", password)
        self.page.click("main button.btn-primary")
        self.page.locator("h1").wait_for()

    def open(self, path: str) -> None:
        self.page.goto(self.address + path)

    def take(self, name: str, height: int = 760) -> None:
        self.page.set_viewport_size({"width": 1280, "height": height})
        self.page.evaluate("document.fonts.ready")
        file = self.folder / f"{name}.png"
        file.write_bytes(indexed(self.table, self.page.screenshot()))
        if file.stat().st_size > MOST_BYTES:
            raise ValueError(f"{file} has {file.stat().st_size} bytes, more than {MOST_BYTES}")


def largest_customer(album: Album) -> str:
    """The address of the customer with the largest exposure."""
    album.open("/customers/?sort=-exposure")
    return str(album.page.locator("tbody a").first.get_attribute("href"))


def photograph(album: Album, file: Path) -> None:
    album.open("/sign-in/")
    album.take("sign-in", 480)
    album.sign_in("manager")
    album.take("today")
    customer = largest_customer(album)
    album.take("customers")
    album.open(customer)
    album.take("customer")
    album.open(f"{customer}?tab=statements")
    album.take("statements")
    album.open(f"{customer}why/credit_tier/")
    album.take("why")
    album.open("/search/?q=mh")
    album.take("search", 560)
    album.open("/settings/")
    album.take("settings", 620)
    for role, pages in {
        "risk": {"signals": "/signals/", "migration": "/migration/", "runs": "/runs/2/"},
        "segment": {
            "segments": "/segments/",
            "imports": "/imports/",
            "segment-define": "/segments/define/?from=inclusive_small",
            "segment-version": "/segment-versions/1/",
            "segment-history": "/segments/strategic_large/history/",
        },
        "head": {"portfolio": "/portfolio/"},
        "administrator": {"people": "/people/"},
        "auditor": {"audit": "/audit/"},
    }.items():
        album.sign_in(role)
        for name, path in pages.items():
            album.open(path)
            album.take(name, 620 if name == "imports" else 760)
    photograph_project(album)
    photograph_reports(album)
    photograph_import(album, file)


def photograph_project(album: Album) -> None:
    """The model of the project with the lowest cover."""
    album.sign_in("administrator")
    album.open("/projects/")
    album.page.locator("tbody a").first.click()
    album.take("project")


def photograph_reports(album: Album) -> None:
    """An archive of a few customers, asked for and made."""
    album.sign_in("head")
    album.open("/customers/?size=large&credit_tier=low")
    album.page.click("form[action='/reports/'] button")
    for _ in range(120):
        album.open("/reports/")
        if album.page.locator("a[href*='/archive/']").count():
            break
        time.sleep(1)
    album.take("reports", 620)


def photograph_import(album: Album, file: Path) -> None:
    """A file whose columns and unit are not ours: the questions, the mapping, the preview with a refused row."""
    album.sign_in("segment")
    album.open("/imports/")
    album.page.set_input_files("#file", file)
    album.page.click("main form button.btn-primary")
    album.page.locator("a[href*='/columns/']").first.wait_for(timeout=60_000)
    album.page.locator("a[href*='/columns/']").first.click()
    album.page.locator("#name").wait_for()
    album.take("mapping", 620)


def main() -> None:
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "guide" / "pictures"
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("chromium is not on this machine")
    with (
        tempfile.TemporaryDirectory() as folder,
        served(Path(folder) / "home") as (address, logins),
        sync_playwright() as driver,
    ):
        browser = driver.chromium.launch(executable_path=chromium, args=list(QUIET))
        table = browser.new_page()
        for language, locale in LOCALES.items():
            page = browser.new_context(locale=locale, timezone_id="Asia/Shanghai").new_page()
            file = Path(folder) / {"zh": "客户清单.csv", "en": "clients.csv"}[language]
            file.write_text(FILES[language], encoding="utf-8")
            photograph(Album(page, table, address, logins, target / language), file)
        browser.close()


if __name__ == "__main__":
    main()
