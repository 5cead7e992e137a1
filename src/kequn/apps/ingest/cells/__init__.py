"""One cell to one value, or the reason why not. Nothing is guessed: a text that can mean two things is refused."""

from kequn.apps.ingest.cells.answer import Bad, Parsed, Percent, Reader, bad, is_empty
from kequn.apps.ingest.cells.dates import date, date_in, day_of_serial, month, period
from kequn.apps.ingest.cells.numbers import Stated, decimal_of, money, number, share, whole, written
from kequn.apps.ingest.cells.words import choice, country, currency, industry, province, text_of, truth, uscc

__all__ = [
    "Bad",
    "Parsed",
    "Percent",
    "Reader",
    "Stated",
    "bad",
    "choice",
    "country",
    "currency",
    "date",
    "date_in",
    "day_of_serial",
    "decimal_of",
    "industry",
    "is_empty",
    "money",
    "month",
    "number",
    "period",
    "province",
    "share",
    "text_of",
    "truth",
    "uscc",
    "whole",
    "written",
]
