"""`kequn policy`: the policy in use as a folder, one segment as a document, a document as a draft."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from kequn.cli.records import ready
from kequn.domain.errors import Misuse, Text


def register(app: typer.Typer) -> None:
    policy = typer.Typer(help="Take policy out and bring it in. 导出与导入政策。", no_args_is_help=True)
    policy.command("export")(export)
    policy.command("segment")(segment)
    policy.command("draft")(draft)
    app.add_typer(policy, name="policy")


def export(folder: Annotated[Path, typer.Argument(help="A folder that is not there yet.")]) -> None:
    """Write the policy in use as a pack, published versions included; `kequn assess --pack FOLDER` judges by it."""
    ready(as_user="")
    from kequn.apps.governance.selectors import policy_in_use
    from kequn.policy.writing import write_pack

    write_pack(policy_in_use(), folder)


def segment(
    key: Annotated[str, typer.Argument(help="The code of a segment.")],
    as_of: Annotated[
        datetime | None, typer.Option("--as-of", formats=["%Y-%m-%d"], help="As it stands on this day; else today.")
    ] = None,
) -> None:
    """Print one segment as a YAML document."""
    ready(as_user="")
    from django.utils import timezone

    from kequn.apps.assessments.segment_policy import row_of
    from kequn.apps.governance.selectors import policy_in_use
    from kequn.policy.segment_document import to_yaml

    row = row_of(policy_in_use(), key, as_of.date() if as_of else timezone.localdate())
    if row is None:
        raise Misuse(Text(f"没有客群 {key}", f"there is no segment {key}"))
    sys.stdout.write(to_yaml(row))


def draft(
    file: Annotated[Path, typer.Argument(help="A segment as a YAML document.")],
    effective_from: Annotated[datetime, typer.Option("--from", formats=["%Y-%m-%d"], help="The day it holds from.")],
    reason: Annotated[str, typer.Option(help="Why it changes.")] = "",
    user: Annotated[str, typer.Option("--as", help="Who drafts it; else the local administrator.")] = "",
) -> None:
    """Keep a document as the draft of the segment's next version. It is looked at and submitted on its page."""
    person = ready(as_user=user)
    from kequn.apps.assessments.segment_policy import Asked, draft_segment
    from kequn.policy.segment_document import from_yaml

    if not file.is_file():
        raise Misuse(Text(f"找不到文件 {file}", f"there is no file {file}"))
    asked = Asked(from_yaml(file.read_text(encoding="utf-8")), effective_from.date(), reason, "yaml")
    version = draft_segment(person=person, asked=asked)
    print(f"{version.key} {version.number}")
