"""Kequn 客群: know the customers of project finance and corporate lending.

In a notebook on the machine that holds the data:

    import kequn
    book = kequn.book()                  # the last published run; book(as_user="lin") narrows it to a person's scope
    book.findings().to_pandas()          # or .to_polars(), .to_arrow(); each carries the identity of the run
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kequn.notebook import book

__all__ = ["book"]


def __getattr__(name: str) -> Any:
    """The door for notebooks is opened on first use, so that importing the package stays light."""
    if name == "book":
        from kequn.notebook import book

        return book
    raise AttributeError(f"module 'kequn' has no attribute {name!r}")
