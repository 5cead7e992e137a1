"""Levels of a signal, from the mildest to the gravest, as Chinese banks colour them."""

from enum import StrEnum


class Level(StrEnum):
    """What a signal asks for: attention, watch, intensive care, exit or recovery."""

    BLUE = "blue"
    YELLOW = "yellow"
    ORANGE = "orange"
    RED = "red"
