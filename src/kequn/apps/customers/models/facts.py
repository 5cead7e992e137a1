"""Dated facts of a customer that have no column of their own, events, and what agencies said."""

from datetime import date

from django.db import models

from kequn.apps.customers.models.party import Customer, Recorded

ALWAYS = date(1900, 1, 1)  # where the source does not state since when something holds


class FactValue(Recorded):
    """One fact of the dictionary, known from a date on. Exactly one of the value columns is filled.

    Amounts of money are integer minor units with their currency; other numbers are floats.
    """

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="facts")
    name = models.CharField(max_length=80)
    known_from = models.DateField()
    number = models.FloatField(null=True)
    minor = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, blank=True)
    text = models.CharField(max_length=300, null=True)
    truth = models.BooleanField(null=True)
    day = models.DateField(null=True)
    source = models.CharField(max_length=60, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["customer", "name", "known_from"], name="fact_once")]

    def __str__(self) -> str:
        return f"{self.name} {self.known_from}"

    @property
    def value(self) -> object:
        """The value in the currency's main unit, or None."""
        if self.minor is not None:
            return self.minor / 100
        filled = (self.number, self.text, self.truth, self.day)
        return next((one for one in filled if one is not None), None)


class ExternalRating(Recorded):
    """What an agency said, on its own scale. Two agencies' letters are never compared as letters."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="external_ratings")
    agency = models.CharField(max_length=120)
    scale = models.CharField(max_length=60)
    symbol = models.CharField(max_length=20)
    rating_date = models.DateField()
    outlook = models.CharField(max_length=20, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["customer", "agency", "scale", "rating_date"], name="rating_once")
        ]

    def __str__(self) -> str:
        return f"{self.agency} {self.symbol} {self.rating_date}"


class Event(Recorded):
    """Something that happened to a customer on a day, as somebody reported it."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="events")
    event_date = models.DateField()
    kind = models.CharField(max_length=40)
    event_source = models.CharField(max_length=300, blank=True)
    event_amount = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3)

    class Meta:
        ordering = ["customer", "event_date", "id"]
        constraints = [
            models.UniqueConstraint(fields=["customer", "event_date", "kind", "event_source"], name="event_once")
        ]

    def __str__(self) -> str:
        return f"{self.event_date} {self.kind}"
