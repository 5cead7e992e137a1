"""The search index: make it anew from the records."""

from typing import Annotated

import typer

from kequn.cli.records import answer_json, ready, say


def register(app: typer.Typer) -> None:
    search = typer.Typer(help="The search index behind the one box.", no_args_is_help=True)
    search.command("rebuild")(rebuild)
    search.callback()(lambda: None)
    app.add_typer(search, name="search")


def rebuild(
    as_user: Annotated[str, typer.Option("--as", help="Act as this user; else as the local administrator.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Make the search index anew; needed once for a book of an earlier version, harmless at any time."""
    person = ready(as_user=as_user)
    from kequn.apps.search.services import rebuild as make_anew

    counts = make_anew(person=person)
    if as_json:
        answer_json(counts)
    else:
        say(", ".join(f"{name}: {count}" for name, count in counts.items()))
