"""CSV to lines: UTF-8 strictly, then GB18030 strictly and readable, else asked with a preview of every candidate."""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kequn.apps.ingest.guards import MEMBER_RATIO, RATIO_FROM_BYTES, UNZIPPED_BYTES, Trouble, guard_cells

CANDIDATES = ("utf-8", "gb18030", "big5", "utf-16", "utf-16-le", "utf-16-be", "shift_jis", "euc_kr", "cp1252")
DELIMITERS = ",\t;|"
BLOCK = 1 << 20
COMMON_SHARE = 0.85  # of the Chinese characters of a Chinese text, those in the first level of GB 2312
PREVIEW_LINES, PREVIEW_CHARACTERS = 3, 120


def read(path: Path, encoding: str) -> Iterator[Any]:
    text = decode(_bytes(path), encoding)
    name = path.name
    for end in (".csv.gz", ".csv"):
        if name.lower().endswith(end):
            name = name[: -len(end)]
            break
    yield {"sheet": name, "strict": True}
    rows, cells = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True), 0
    number = 0
    try:
        for row in rows:
            number += 1
            cells += len(row)
            if any(row):
                yield [number, row]
            if not number % 1000:
                guard_cells(cells)
    except csv.Error as error:
        zh, en = f"第{number + 1}行：{error}", f"row {number + 1}: {error}"
        raise Trouble("csv", zh, en, row=number + 1) from error


def _bytes(path: Path) -> bytes:
    if not path.name.lower().endswith(".gz"):
        if path.stat().st_size > UNZIPPED_BYTES:
            raise Trouble("file_too_large", "文件大于1 GiB", "the file is larger than 1 GiB")
        raw = path.read_bytes()
    else:
        raw = _unpacked(path)
    if raw[:4] == b"PK\x03\x04" or raw[:2] == b"\x1f\x8b":
        raise Trouble("nested", "内容本身是压缩包", "what is inside is itself an archive", raw[:2].hex(), "CSV")
    return raw


def _unpacked(path: Path) -> bytes:
    packed, parts, total = path.stat().st_size, [], 0
    try:
        with gzip.open(path) as stream:
            while block := stream.read(BLOCK):
                parts.append(block)
                total += len(block)
                if total > RATIO_FROM_BYTES and total > MEMBER_RATIO * packed:
                    zh, en = "压缩比异常", "it is packed more tightly than a real table can be"
                    raise Trouble("ratio", zh, en, f"> {total // max(packed, 1)}:1", f"<= {MEMBER_RATIO}:1")
                if total > UNZIPPED_BYTES:
                    raise Trouble("file_too_large", "解压后超过1 GiB", "unpacked it is larger than 1 GiB")
    except (OSError, EOFError, zlib.error) as error:
        raise Trouble("unreadable", "文件无法解压", "the file cannot be unpacked") from error
    return b"".join(parts)


def decode(raw: bytes, encoding: str) -> str:
    """The text in the encoding that the person named; else in the one of two that fits without doubt; else asked."""
    if encoding:
        try:
            return raw.decode(encoding).removeprefix("\ufeff")
        except (UnicodeDecodeError, LookupError) as error:
            zh, en = f"不能按 {encoding} 解读", f"cannot be read as {encoding}"
            raise Trouble("encoding", zh, en, encoding, _previews(raw)) from error
    try:
        text = raw.decode("utf-8-sig")
        if "\0" not in text:
            return text
    except UnicodeDecodeError:
        pass
    try:
        text = raw.decode("gb18030")
        if _reads_as_chinese(text):
            return text
    except UnicodeDecodeError:
        pass
    zh, en = "文字编码不能断定，请按预览选定", "the encoding of the text cannot be told; choose it by the previews"
    raise Trouble("encoding", zh, en, "", _previews(raw))


def _reads_as_chinese(text: str) -> bool:
    """Text of another encoding that happens to decode shows rare characters, kana and private ones."""
    foreign = [one for one in text[:200_000] if ord(one) > 127]
    if "\0" in text:
        return False
    signs = [one for one in foreign if not "\u3400" <= one <= "\u9fff"]
    if any("\ue000" <= one <= "\uf8ff" or "\u3040" <= one <= "\u30ff" or ord(one) > 0xFFFF for one in signs):
        return False
    chinese = [one for one in foreign if "\u3400" <= one <= "\u9fff"]
    common = sum(_is_common(one) for one in chinese)
    return common >= COMMON_SHARE * len(chinese) and (bool(chinese) or not signs)


def _is_common(character: str) -> bool:
    try:
        return 0xB0 <= character.encode("gb2312")[0] <= 0xD7
    except UnicodeEncodeError:
        return False


def _previews(raw: bytes) -> str:
    """`encoding<tab>how the first lines would read`, a line for each candidate that can read the file at all."""
    shown = []
    for one in CANDIDATES:
        try:
            text = raw.decode(one)
        except (UnicodeDecodeError, LookupError):
            continue
        if "\0" in text:
            continue
        lines = [line for line in text.removeprefix("\ufeff").splitlines() if line.strip()][:PREVIEW_LINES]
        sample = " ⏎ ".join("".join(c if c.isprintable() else " " for c in line) for line in lines)
        shown.append(f"{one}\t{sample[:PREVIEW_CHARACTERS]}")
    return "\n".join(shown)


def _delimiter(text: str) -> str:
    """The sign that stands most often in the first lines, the comma where none does."""
    head = text[:20_000].splitlines()[:20]
    counts = {sign: sum(line.count(sign) > 0 for line in head) for sign in DELIMITERS}
    best = max(DELIMITERS, key=lambda sign: counts[sign])
    return best if counts[best] > counts[","] else ","
