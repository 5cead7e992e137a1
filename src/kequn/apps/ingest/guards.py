"""What a file may be before it is opened: unpacked size, ratio, number of parts, nesting. Knows no Django.

An archive is judged by its directory alone, so that a small file that unfolds to a great one costs nothing.
"""

import zipfile
from dataclasses import dataclass
from pathlib import Path

from kequn.domain.errors import Finding, Place, Refused, Text

UNZIPPED_BYTES = 1024**3  # a legal sheet of a million rows by twenty columns stays below
MEMBER_RATIO = 200  # a real sheet of numbers shrinks ten to forty times
RATIO_FROM_BYTES = 20 << 20  # small parts of empty cells shrink more and hurt nobody
WHOLE_RATIO_FROM_BYTES = 100 << 20  # unless they are many
MEMBERS = 4000
SHEETS = 200
CELLS = 25_000_000
ARCHIVES = (".zip", ".gz", ".xlsx", ".xlsm", ".ods", ".7z", ".rar", ".bz2", ".xz")
EMBEDDED = ("xl/embeddings/", "xl/drawings/", "xl/media/", "object ")  # never opened here
ZIPPED = (".xlsx", ".xlsm", ".ods")


@dataclass(eq=False)
class Trouble(Exception):
    """Why a file is not taken: code, both sentences, what was found and what was expected."""

    code: str
    zh: str
    en: str
    found: str = ""
    expected: str = ""
    sheet: str = ""
    row: int | None = None


def guard_zip(path: Path) -> list[zipfile.ZipInfo]:
    """Judge an archive by its directory before anything is unpacked; its parts."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, UnicodeDecodeError) as error:
        raise Trouble("not_a_workbook", "不是可读的工作簿", "this is not a readable workbook") from error
    total = sum(one.file_size for one in members)
    if len(members) > MEMBERS or total > UNZIPPED_BYTES:
        raise Trouble(
            "workbook_too_large",
            f"解压后{total >> 20}兆字节、{len(members)}个部件，超过上限",
            f"unpacked it would be {total >> 20} MiB in {len(members)} parts, which is more than is allowed",
            f"{total >> 20} MiB, {len(members)}",
            f"<= {UNZIPPED_BYTES >> 20} MiB, {MEMBERS}",
        )
    for one in members:
        _guard_member(one)
    _guard_ratio("", total, sum(one.compress_size for one in members), WHOLE_RATIO_FROM_BYTES)
    return members


def guard_workbook(path: Path) -> None:
    """As `guard_zip`, for who takes a single workbook: Refused with what was found and what was expected."""
    try:
        guard_zip(path)
    except Trouble as trouble:
        place = Place(path.name)
        finding = Finding(trouble.code, Text(trouble.zh, trouble.en), place, trouble.found, trouble.expected)
        raise Refused(Text(f"{path.name} 未打开", f"{path.name} was not opened"), (finding,)) from trouble


def _guard_ratio(name: str, unpacked: int, packed: int, start: int) -> None:
    if unpacked > start and unpacked > MEMBER_RATIO * max(packed, 1):
        raise Trouble(
            "workbook_ratio",
            f"部件 {name[:60]} 的压缩比异常" if name else "各部件合计的压缩比异常",
            f"part {name[:60]} is packed more tightly than a real sheet can be"
            if name
            else "its parts together are packed more tightly than real sheets can be",
            f"{unpacked // max(packed, 1)}:1",
            f"<= {MEMBER_RATIO}:1",
        )


def _guard_member(one: zipfile.ZipInfo) -> None:
    name = one.filename.replace("\\", "/")
    if one.flag_bits & 1:
        raise Trouble("encrypted", "工作簿有密码保护", "the workbook is protected by a password")
    _guard_ratio(name, one.file_size, one.compress_size, RATIO_FROM_BYTES)
    if name.lower().endswith(ARCHIVES) and not name.lower().startswith(EMBEDDED):
        raise Trouble(
            "nested", f"压缩包中又有压缩包 {name[:60]}", f"an archive within the archive: {name[:60]}", name[:60]
        )


def guard_cells(cells: int) -> None:
    if cells > CELLS:
        raise Trouble(
            "too_many_cells",
            f"单元格超过{CELLS:,}个，请分成几个文件",
            f"more than {CELLS:,} cells: split the file",
            f"{cells:,}",
            f"<= {CELLS:,}",
        )
