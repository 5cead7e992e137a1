# ruff: noqa: E501, PERF401 - lists read better in whole lines
"""Bend files in every way and bring them in: no crash, no partial import, every refusal with its place.

    python -m tests.faults.mutants --count 100000 [--jobs 2] [--seed 20261123]

Each mutant is read by the ordinary importer into an embedded database of its own home. Exit 1 when anything broke.
"""

import argparse
import io
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SEEDS = (
    "header-1",
    "title.ods",
    "notes.xlsx",
    "gb18030-comma",
    "two-amounts.csv",
    "packed",
    "plain.ods",
    "group-10000",
    "serials-1904",
)
NASTY = (
    "", "=1+1", "NaN", "1e999", "\x00", "\ufeff", "9" * 400, "-", "２０２６年", "万元", "\u202e", '"', "\r\n", "<x>", "&amp;", "￥",
    "0x1F", "1,2,3", "#REF!", "true", "١٢٣", "𝟙𝟚", "\ud7ff", "(((", "1900-02-29", "9999-12-31", "元" * 50, "/", "%", "5%%",
)  # fmt: skip
Mutation = Callable[[bytes, random.Random], bytes]


def flip(raw: bytes, draw: random.Random) -> bytes:
    bent = bytearray(raw)
    for _ in range(draw.choice((1, 2, 5, 20, 100))):
        bent[draw.randrange(len(bent))] = draw.randrange(256)
    return bytes(bent)


def cut(raw: bytes, draw: random.Random) -> bytes:
    start = draw.randrange(len(raw))
    return raw[:start] if draw.random() < 0.5 else raw[:start] + raw[min(len(raw), start + draw.randrange(1, 200)) :]


def double(raw: bytes, draw: random.Random) -> bytes:
    start = draw.randrange(len(raw))
    end = min(len(raw), start + draw.randrange(1, 2000))
    return raw[:end] + raw[start:end] * draw.choice((1, 2, 40)) + raw[end:]


def words(raw: bytes, draw: random.Random) -> bytes:
    """Text of XML or CSV with pieces replaced by nasty ones, tags dropped, digits changed."""
    text = raw.decode("utf-8", "surrogateescape")
    for _ in range(draw.choice((1, 1, 2, 6))):
        at = draw.randrange(len(text) + 1)
        end = min(len(text), at + draw.choice((0, 0, 1, 3, 12)))
        text = text[:at] + draw.choice(NASTY) + text[end:]
    return text.encode("utf-8", "surrogatepass") if draw.random() < 0.9 else text.encode("utf-8", "replace")


def members(raw: bytes, draw: random.Random) -> bytes:
    """A zip file taken apart: one part bent, dropped, doubled, renamed or given another size, and put together again."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            parts = [(one.filename, archive.read(one)) for one in archive.infolist()]
    except (zipfile.BadZipFile, OSError):
        return words(raw, draw)
    at = draw.randrange(len(parts))
    name, content = parts[at]
    how = draw.choice(("words", "words", "words", "flip", "cut", "double", "drop", "rename", "swap"))
    if how == "drop":
        del parts[at]
    elif how == "rename":
        parts[at] = (name.replace("s", "x", 1), content)
    elif how == "swap":
        other = draw.randrange(len(parts))
        parts[at], parts[other] = (name, parts[other][1]), (parts[other][0], content)
    elif content:
        parts[at] = (name, {"words": words, "flip": flip, "cut": cut, "double": double}[how](content, draw))
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for part, inside in parts:
            archive.writestr(part, inside)
    return made.getvalue()


def mutant(raw: bytes, name: str, draw: random.Random) -> bytes:
    plain: tuple[Mutation, ...] = (flip, cut, double)
    if name.endswith((".xlsx", ".ods")):
        return draw.choice((members, members, members, *plain))(raw, draw)
    if name.endswith(".csv"):
        return draw.choice((words, words, words, *plain))(raw, draw)
    return draw.choice(plain)(raw, draw)


def seeds(folder: Path) -> list[tuple[str, bytes]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from tests.files.templates import TEMPLATES
    from tests.files.writer import write

    found = []
    for case in TEMPLATES:
        if case.name in SEEDS:
            path = write(case, folder)
            found.append((path.name, path.read_bytes()))
    table = pa.table({"customer_id": ["P1", "P2"], "name": ["甲", "乙"], "employees": [1.5, None]})
    pq.write_table(table, folder / "customers.parquet")
    return [*found, ("customers.parquet", (folder / "customers.parquet").read_bytes())]


def wrong_of(batch, refused) -> list[str]:
    """What does not hold of one import: counts, results, places, texts in both languages."""
    found = []
    results = batch.rows.count()
    if batch.rows_read != batch.rows_stored + batch.rows_refused or batch.rows_read != results:
        found.append(
            f"{batch.rows_read} read, {batch.rows_stored} stored, {batch.rows_refused} refused, {results} results"
        )
    if refused is not None and not (
        refused.findings and all(one.place.file or one.code == "refused" for one in refused.findings)
    ):
        found.append(f"no place: {refused}")
    for row in batch.rows.filter(outcome="refused"):
        if not row.findings or not all(one["zh"] and one["en"] and row.row for one in row.findings):
            found.append(f"row {row.row} refused without a reason")
    return found


def run(count: int, seed: int, folder: Path) -> dict:
    """So many mutants in this process; what became of them."""
    from django.db import connection

    from kequn.apps.accounts.access import LocalAdministrator
    from kequn.apps.customers.models import Customer, FactValue
    from kequn.apps.ingest.models import ImportBatch
    from kequn.apps.ingest.reading import served
    from kequn.apps.ingest.services import RefusedFile, Wish, import_path
    from kequn.domain.errors import KequnError

    draw, person, ends, broken = random.Random(seed), LocalAdministrator(), Counter(), []
    known = seeds(folder)
    started = time.monotonic()
    with served():
        for number in range(count):
            name, raw = draw.choice(known)
            path = folder / name
            path.write_bytes(mutant(raw, name, draw))
            before, batch, refused = (Customer.objects.count(), FactValue.objects.count()), None, None
            try:
                batch = import_path(path=path, person=person, wish=Wish(source=f"m{number}"))[0]
            except RefusedFile as error:
                batch, refused = error.batch, error
            except KequnError as error:
                broken.append(f"{name} {number}: {error}")
            except Exception as error:
                broken.append(f"{name} {number}: {type(error).__name__} {str(error)[:200]}")
                (folder.parent / f"crash-{seed}-{number}-{name}").write_bytes(path.read_bytes())
            after = (Customer.objects.count(), FactValue.objects.count())
            if batch is None:
                ends["crash"] += 1
                continue
            if refused is not None or not batch.rows_stored:
                ends["file refused" if refused is not None else "all rows refused"] += 1
                if before != after:
                    broken.append(f"{name} {number}: partial import, {before} then {after}")
            else:
                ends["rows refused" if batch.rows_refused else "taken whole"] += 1
            broken += [f"{name} {number}: {one}" for one in wrong_of(batch, refused)]
            if FactValue.objects.exclude(made_by__in=ImportBatch.objects.filter(state="stored").values("id")).exists():
                broken.append(f"{name} {number}: facts of no stored import")
            if number % 50 == 49:
                _empty(connection)
    return {"count": count, "ends": dict(ends), "broken": broken, "seconds": round(time.monotonic() - started, 1)}


def _empty(connection) -> None:
    """Start again with empty tables, so that the last import is as quick as the first."""
    from kequn.apps.ingest.undoing import ORDER

    with connection.cursor() as cursor:
        for model in ORDER:
            cursor.execute(f'DELETE FROM "{model._meta.db_table}"')
        for table in ("ingest_beforeimage", "ingest_rowresult", "ingest_upload", "ingest_importbatch"):
            cursor.execute(f'DELETE FROM "{table}"')


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=20261123)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.child:
        return _child(chosen.count, chosen.seed)
    started, each = time.monotonic(), -(-chosen.count // chosen.jobs)
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(prefix="kequn-mutants-", dir=memory) as folder:
        children = []
        for number in range(chosen.jobs):
            env = {**os.environ, "KEQUN_HOME": f"{folder}/{number}", "PYTHONPATH": str(ROOT / "src")}
            env.pop("KEQUN_DATABASE_URL", None)
            command = [sys.executable, "-W", "ignore", "-m", "tests.faults.mutants", "--child"]
            command += ["--count", str(each), "--seed", str(chosen.seed + number)]
            children.append(subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True))
        answers = [json.loads(child.communicate()[0].splitlines()[-1]) for child in children]
    ends: Counter[str] = sum((Counter(one["ends"]) for one in answers), Counter())
    broken = [line for one in answers for line in one["broken"]]
    print("\n".join(broken[:20]))
    took = time.monotonic() - started
    total = sum(one["count"] for one in answers)
    shown = ", ".join(f"{key} {value}" for key, value in sorted(ends.items()))
    print(f"{total} mutants in {took:.0f} s ({total / took:.0f} a second): {shown}; {len(broken)} broken invariants")
    return int(bool(broken))


def _child(count: int, seed: int) -> int:
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kequn.config.settings")
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0, skip_checks=True)
    folder = Path(os.environ["KEQUN_HOME"]) / "files"
    folder.mkdir()
    print(json.dumps(run(count, seed, folder), ensure_ascii=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
