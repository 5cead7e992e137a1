"""Files from the pages: small ones are read while the person waits, great ones by the worker."""

from typing import Any

from kequn.apps.accounts.access import IMPORT, Person, may
from kequn.apps.accounts.selectors import person_at_terminal
from kequn.apps.ingest import uploads
from kequn.apps.ingest.models import ImportBatch, Upload
from kequn.apps.ingest.services import RefusedFile, Wish, import_path
from kequn.apps.jobs.models import Job
from kequn.apps.jobs.services import Lease, enqueue, handler, heartbeat
from kequn.domain.errors import Misuse, Text

IN_REQUEST_BYTES = 3 << 20  # of plain text: about the rows that are read in a few seconds
UNPACKED = {".gz": 10, ".xlsx": 6, ".xlsm": 6, ".ods": 8, ".parquet": 8, ".xls": 2}
KIND = "import"


def wish_of(upload: Upload, *, dry_run: bool) -> Wish:
    said = upload.wish
    return Wish(
        unit=str(said.get("unit", "")),
        strict=bool(said.get("strict", False)),
        encoding=str(said.get("encoding", "")),
        take_hidden=bool(said.get("take_hidden", False)),
        ignored=frozenset(said.get("ignored", ())),
        dry_run=dry_run,
        name=upload.name,
    )


def bring_in(*, upload: Upload, person: Person, store: bool) -> ImportBatch | Job:
    """Preview or store a kept file: the batch when it was done at once, else the job that will do it."""
    if not may(person, IMPORT) or upload.actor != person.actor_key:
        raise Misuse(Text("没有导入权限", "you may not import this file"))
    weight = next((times for end, times in UNPACKED.items() if upload.name.lower().endswith(end)), 1)
    if upload.size * weight <= IN_REQUEST_BYTES:
        return _do(upload, person, store=store, lease=None)
    job = enqueue(kind=KIND, arguments={"upload": upload.id, "store": store}, actor=person.actor_key)
    Upload.objects.filter(id=upload.id).update(job=job.id)
    return job


def _do(upload: Upload, person: Person, *, store: bool, lease: Lease | None) -> ImportBatch:
    path = uploads.path_of(upload)
    hold = lease.hold if lease is not None else None
    try:
        batch = import_path(path=path, person=person, wish=wish_of(upload, dry_run=not store), hold=hold)[0]
    except RefusedFile as refused:
        batch = refused.batch
    if store and batch.rows_stored:
        uploads.drop(upload)
    else:
        Upload.objects.filter(id=upload.id).update(batch=batch)
    return batch


@handler(KIND)
def do_import(lease: Lease) -> dict[str, Any]:
    """The job. Killed after the commit it is taken up again, and finds every row unchanged."""
    upload = Upload.objects.filter(id=lease.arguments["upload"]).first()
    if upload is None:
        raise Misuse(Text("文件已不在，请重新上传", "the file is no longer here; bring it in again"))
    person = person_at_terminal(lease.actor.removeprefix("user:") if lease.actor.startswith("user:") else "")
    with heartbeat(lease):
        batch = _do(upload, person, store=bool(lease.arguments["store"]), lease=lease)
    return {"batch": batch.id}
