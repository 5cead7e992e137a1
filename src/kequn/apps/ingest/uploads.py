"""Files that wait for a person: kept outside the web root under random names, aged away after some days."""

import secrets
import shutil
import time
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from kequn.apps.accounts.access import Person
from kequn.apps.ingest.models import ImportBatch, Upload
from kequn.domain.errors import Refused, Text

DAY_SECONDS, NAME_BYTES = 86_400, 200


def keep(*, name: str, content: bytes, person: Person, wish: dict[str, object]) -> Upload:
    """Put an uploaded file under a random name; the name it came with is only a label. Old ones are swept out."""
    sweep()
    upload = Upload(token=secrets.token_hex(16), name=Path(name).name[:300], size=len(content), wish=wish)
    upload.actor, upload.made_at = person.actor_key, timezone.now()
    path = _path(upload)
    path.parent.mkdir(parents=True, mode=0o700)
    path.write_bytes(content)
    upload.save(force_insert=True)
    return upload


def _folder() -> Path:
    return Path(settings.KEQUN_HOME) / "uploads"


def _path(upload: Upload) -> Path:
    safe = "".join(one if one.isalnum() or one in "._-" else "_" for one in upload.name)
    short = safe.encode()[-NAME_BYTES:].decode(errors="ignore")  # a file system counts bytes, and a 字 has three
    return _folder() / upload.token / (short.lstrip(".") or "file")


def path_of(upload: Upload) -> Path:
    """Where the file lies; refused in words when it was aged away."""
    path = _path(upload)
    if not path.is_file():
        zh, en = "先前的文件已不在，请重新上传", "the earlier file is no longer here; bring it in again"
        raise Refused(Text(zh, en))
    return path


def of_batch(*, batch: ImportBatch, person: Person) -> Upload | None:
    """The file of a preview or of a refusal, for the person who brought it."""
    found = Upload.objects.filter(batch=batch, actor=person.actor_key).first()
    return found if found is not None and _path(found).is_file() else None


def drop(upload: Upload) -> None:
    shutil.rmtree(_folder() / upload.token, ignore_errors=True)
    upload.delete()


def sweep() -> int:
    """Remove what nobody came back for, with its record, and folders without a record; how many went."""
    before = timezone.now() - timedelta(days=settings.KEQUN_KEEP_UPLOADS_DAYS)
    old = list(Upload.objects.filter(made_at__lt=before))
    for upload in old:
        drop(upload)
    known = set(Upload.objects.values_list("token", flat=True))
    gone = len(old)
    for folder in _folder().iterdir() if _folder().is_dir() else ():
        age = time.time() - folder.stat().st_mtime
        if folder.name not in known and age > settings.KEQUN_KEEP_UPLOADS_DAYS * DAY_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)
            gone += 1
    return gone
