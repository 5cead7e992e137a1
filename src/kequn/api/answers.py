"""The shapes of the answers. Amounts are decimal texts in units of their currency, so that no reader rounds them."""

from datetime import date
from typing import Annotated, Literal

from ninja import Field, Schema

Amount = Annotated[str, Field(description="Decimal number as text", examples=["1234567.00"], pattern=r"^-?\d+\.\d{2}$")]
Value = Amount | float | bool | str | None


class Problem(Schema):
    """What was wrong, in both languages, with a code that stays."""

    code: str
    zh: str
    en: str


class Origin(Schema):
    """The run whose findings these are: facts as of a date, policy, program."""

    run: int
    as_of: date
    policy: str
    policy_digest: str
    program: str


class Exposure(Schema):
    gross: Amount | None
    net: Amount | None = Field(description="Net of margin deposits")
    currency: Literal["CNY"] = "CNY"


class CustomerLine(Schema):
    code: str
    name: str
    short_name: str
    unified_social_credit_code: str | None
    country: str
    province: str
    industry_code: str
    group: str | None
    manager: str | None
    exposure: Exposure
    score: float | None
    pd: float | None
    signals: int | None = Field(description="How many signals hold; null until a run has judged the customer")


class CustomerPage(Schema):
    items: list[CustomerLine]
    next: str = Field(description="Give this as `after` to get the next page; empty on the last page")
    total: int


class Contact(Schema):
    name: str
    position: str


class CustomerFull(CustomerLine):
    contacts: list[Contact]
    facts: dict[str, Value] = Field(description="Other facts as handed in, by their dictionary names")
    origin: Origin | None


class StatementOut(Schema):
    period_end: date
    months: int
    flows: str
    scope: str
    standard: str
    version: int
    currency: str
    items: dict[str, Value] = Field(description="Items by their dictionary names; null is unknown, never zero")


class FacilityOut(Schema):
    facility_id: str
    currency: str
    project: str | None
    terms: dict[str, Value] = Field(description="Facts of the facility by their dictionary names")


class FindingOut(Schema):
    kind: str
    key: str
    value: str
    valid_from: date
    valid_to: date | None
    cause: str


class Statements(Schema):
    items: list[StatementOut]


class Facilities(Schema):
    items: list[FacilityOut]


class Findings(Schema):
    items: list[FindingOut]
    origin: Origin | None
