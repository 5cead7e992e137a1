"""Loading a policy pack: the shipped one of a name or an institution's own folder, read and checked as a whole."""

import hashlib
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from kequn.domain.errors import Misuse, Place, Text
from kequn.policy.dictionary import read_dictionary
from kequn.policy.documents import Complaints, Document, Heading, Standard, read_document, read_standard
from kequn.policy.pack import Pack
from kequn.policy.planning import check_plans
from kequn.policy.standards import Standards

SHIPPED = Path(__file__).parent / "packs"
ALONE = ("slotting", "classification", "staging")


def load_pack(name_or_path: str | Path = "cn") -> Pack:
    """The pack of this name, or in this folder; Refused with every error where it is not sound."""
    folder = Path(name_or_path)
    shipped = SHIPPED / str(name_or_path)
    if "/" not in str(name_or_path) and (shipped / "pack.yaml").is_file():
        folder = shipped
    if not (folder / "pack.yaml").is_file():
        names = ", ".join(sorted(path.parent.name for path in SHIPPED.glob("*/pack.yaml")))
        raise Misuse(
            Text(
                f"没有政策包 {name_or_path}；现有：{names}，或给出含 pack.yaml 的文件夹",
                f"no policy pack {name_or_path}; there is: {names}, or name a folder that holds pack.yaml",
            )
        )
    return _load(folder.resolve(), digest_of(folder))


def digest_of(folder: Path) -> str:
    """SHA-256 over the names and bytes of all files of a pack, in order of their names.

    Files of the same size and moment of writing are not read again.
    """
    paths = sorted([*folder.rglob("*.yaml"), *folder.rglob("*.csv")])
    stamps = (path.stat() for path in paths)
    return _digest_of(folder, tuple(paths), tuple((one.st_mtime_ns, one.st_size) for one in stamps))


@lru_cache(maxsize=8)
def _digest_of(folder: Path, paths: tuple[Path, ...], _stamps: tuple[tuple[int, int], ...]) -> str:
    whole = hashlib.sha256()
    for path in paths:
        content = path.read_bytes()
        whole.update(f"{path.relative_to(folder).as_posix()}\0{len(content)}\0".encode())
        whole.update(content)
    return whole.hexdigest()


@lru_cache(maxsize=8)
def _load(folder: Path, digest: str) -> Pack:
    complaints = Complaints()
    identity = read_document(folder / "pack.yaml", complaints)
    facts = read_document(folder / "facts.yaml", complaints)
    sheets = read_document(folder / "sheets.yaml", complaints)
    dictionary = read_dictionary(facts, sheets, complaints)
    standards = Standards(
        _grouped(read_standard(path, complaints) for path in sorted((folder / "standards").glob("*.csv")))
    )
    editions = _documents(folder, identity, complaints)
    order = tuple((str(scope), str(standard)) for scope, standard in identity.body.get("basis_order", ()))
    pack = Pack(
        str(identity.body.get("id", folder.name)),
        str(identity.body.get("version", "")),
        identity.heading.title,
        digest,
        folder,
        dictionary,
        standards,
        editions,
        order,
        _alone(folder, complaints),
    )
    if not order:
        complaints.add(Place("pack.yaml"), "basis_order", "缺少报表口径次序", "basis_order is missing")
    complaints.settle(pack.id)
    check_plans(pack, complaints)
    complaints.settle(pack.id)
    return pack


def _documents(folder: Path, identity: Document, complaints: Complaints) -> dict[str, tuple[Document, ...]]:
    found: dict[str, tuple[Document, ...]] = {}
    for key in identity.body.get("documents", ()):
        paths = sorted(folder.glob(f"{key}.yaml")) + sorted(folder.glob(f"{key}.*.yaml"))
        if not paths:
            complaints.add(Place("pack.yaml"), "document", "缺少文件", "the document is missing", found=f"{key}.yaml")
            continue
        found[key] = tuple(read_document(path, complaints) for path in paths)
    return found


def _alone(folder: Path, complaints: Complaints) -> tuple[Heading, ...]:
    """The headings of the documents that are read by themselves."""
    paths = [path for key in ALONE for path in sorted([*folder.glob(f"{key}.yaml"), *folder.glob(f"{key}.*.yaml")])]
    return tuple(read_document(path, complaints).heading for path in paths)


def _grouped(standards: Iterable[Standard]) -> dict[str, tuple[Standard, ...]]:
    found: dict[str, tuple[Standard, ...]] = {}
    for standard in standards:
        found[standard.key] = (*found.get(standard.key, ()), standard)
    return found
