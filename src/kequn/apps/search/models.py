"""Which records hold a token, packed; and what was indexed of each, so that the old tokens can be taken out again.

A posting holds the members of one block of BLOCK record numbers: as a sorted array of 16-bit places, or as a bitmap
where that is smaller. So a hundred thousand customers need some ten thousand rows, and the most common character
two. Both tables follow from the records; `kequn search rebuild` makes them anew.
"""

from django.db import models

BLOCK = 65_536
SHELF = 256


class Kind(models.IntegerChoices):
    CUSTOMER = 1
    GROUP = 2
    PROJECT = 3


class Posting(models.Model):
    kind = models.PositiveSmallIntegerField(choices=Kind)
    token = models.BigIntegerField()  # as kequn.apps.search.tokens makes it
    block = models.BigIntegerField()  # record number // BLOCK
    members = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "token", "block"], name="posting_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.token} {self.block}"


class Shelf(models.Model):
    """The indexed texts of SHELF records: line by line in the order of their numbers, tab between; some lines empty."""

    kind = models.PositiveSmallIntegerField(choices=Kind)
    number = models.BigIntegerField()  # record number // SHELF
    lines = models.TextField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "number"], name="shelf_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"


class IndexLock(models.Model):
    """The one row that whoever changes the index holds, so that writers queue."""

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="search_one_lock")]

    def __str__(self) -> str:
        return "search"
