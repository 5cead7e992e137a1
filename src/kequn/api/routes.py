"""Every address of the API. Each answer, refusals included, is described in the OpenAPI document."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI, Path, Query, Status
from ninja.errors import AuthenticationError, HttpError, ValidationError
from ninja.security import HttpBearer

from kequn.api.answers import (
    Contact,
    CustomerFull,
    CustomerLine,
    CustomerPage,
    Exposure,
    Facilities,
    FacilityOut,
    FindingOut,
    Findings,
    Origin,
    Problem,
    StatementOut,
    Statements,
    Value,
)
from kequn.apps.accounts.models import User
from kequn.apps.accounts.tokens import user_of
from kequn.apps.assessments import listing
from kequn.apps.assessments import selectors as findings
from kequn.apps.customers import selectors as customers
from kequn.apps.customers.dictionary import Entry, handed_in
from kequn.apps.customers.models import Customer
from kequn.apps.deals.selectors import facilities_of
from kequn.version import VERSION

MOST = 200

NO_TOKEN = Problem(code="token", zh="缺少有效的访问密钥", en="a valid token is missing")
NO_CUSTOMER = Problem(code="customer", zh="没有这个客户，或不在权限范围内", en="no such customer within your scope")
NO_PLACE = Problem(code="after", zh="after 不是本列表给出的位置", en="after is no place that this list gave")
REFUSED = {401: Problem, 422: Problem}
Code = Annotated[str, Path(description="The customer's code, or its unified social credit code", max_length=80)]


class Token(HttpBearer):
    """`Authorization: Bearer kq_…`; the person of the token is the reader of everything."""

    def authenticate(self, request: HttpRequest, token: str) -> User | None:
        user = user_of(token)
        if user is not None:
            request.user = user
        return user


api = NinjaAPI(
    title="Kequn",
    version=VERSION,
    description="Customers, statements, facilities and findings, read-only, within the scope of the token's person.",
    auth=Token(),
    docs_url=None,  # its page would fetch scripts from elsewhere
    urls_namespace="api",
    openapi_url="openapi.json",
)


@api.exception_handler(AuthenticationError)
def no_token(request: HttpRequest, _error: AuthenticationError) -> HttpResponse:
    answer = api.create_response(request, NO_TOKEN, status=401)
    answer["WWW-Authenticate"] = "Bearer"
    return answer


@api.exception_handler(ValidationError)
def not_as_described(request: HttpRequest, error: ValidationError) -> HttpResponse:
    said = "; ".join(f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors[:5])
    return api.create_response(request, Problem(code="parameter", zh=f"参数有误：{said}", en=said), status=422)


@api.exception_handler(HttpError)
def refused(request: HttpRequest, error: HttpError) -> HttpResponse:
    said = Problem(code="request", zh=f"请求无法处理：{error}", en=str(error))
    return api.create_response(request, said, status=error.status_code)


@api.get(
    "/customers",
    response={200: CustomerPage, 404: Problem, **REFUSED},
    summary="Visible customers, by name",
    tags=["customers"],
)
def list_customers(
    request: HttpRequest,
    q: Annotated[str, Query(description="Name, pinyin, code or credit code", max_length=100)] = "",
    after: Annotated[str, Query(description="The `next` of the page before", pattern="^[0-9]{0,18}$")] = "",
    limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
) -> Any:
    if after and not customers.visible_to(request.user).filter(pk=int(after)).exists():
        return Status(404, NO_PLACE)
    wanted = listing.Wanted(words=q.replace("\x00", ""))
    page = listing.page_of(person=request.user, wanted=wanted, size=limit, after=after)
    return CustomerPage(
        items=[CustomerLine(**_line(one)) for one in page.customers], next=page.after, total=page.totals.customers
    )


@api.get(
    "/customers/{code}",
    response={200: CustomerFull, 404: Problem, **REFUSED},
    summary="One customer",
    tags=["customers"],
)
def one_customer(request: HttpRequest, code: Code) -> Any:
    customer = _find(request, code)
    if customer is None:
        return Status(404, NO_CUSTOMER)
    latest = customers.latest_facts(customer, date.max)
    facts = {
        one.name: _amount(latest[one.name].minor) if one.is_money else _plain(latest[one.name].value)
        for one in handed_in("customer")
        if one.name in latest and not one.outcome
    }
    contacts = [Contact(name=one.contact_name, position=one.position) for one in customer.contacts.order_by("id")]
    return CustomerFull(**_line(customer), contacts=contacts, facts=facts, origin=_origin())


@api.get(
    "/customers/{code}/statements", response={200: Statements, 404: Problem, **REFUSED},
    summary="Every statement, the newest first", tags=["statements"],
)  # fmt: skip
def statements(request: HttpRequest, code: Code) -> Any:
    customer = _find(request, code)
    if customer is None:
        return Status(404, NO_CUSTOMER)
    keys = ("period_end", "months", "flows", "scope", "standard", "version", "currency")
    items = [
        StatementOut(**{key: getattr(one, key) for key in keys}, items=_facts(one, handed_in("statement")))
        for one in customers.statements_until(customer, date.max)
    ]
    return Statements(items=items)


@api.get(
    "/customers/{code}/facilities", response={200: Facilities, 404: Problem, **REFUSED},
    summary="Facilities with their terms", tags=["facilities"],
)  # fmt: skip
def facilities(request: HttpRequest, code: Code) -> Any:
    customer = _find(request, code)
    if customer is None:
        return Status(404, NO_CUSTOMER)
    items = [
        FacilityOut(
            facility_id=one.facility_id,
            currency=one.currency,
            project=one.project.project_id if one.project else None,
            terms=_facts(one, handed_in("facility")),
        )
        for one in facilities_of(customer)
    ]
    return Facilities(items=items)


@api.get(
    "/customers/{code}/findings", response={200: Findings, 404: Problem, **REFUSED},
    summary="Findings that stand, or that stood on a date", tags=["findings"],
)  # fmt: skip
def findings_of_customer(
    request: HttpRequest,
    code: Code,
    on: Annotated[date | None, Query(description="A business date; without it, what stands now")] = None,
) -> Any:
    customer = _find(request, code)
    if customer is None:
        return Status(404, NO_CUSTOMER)
    keys = ("kind", "key", "value", "valid_from", "valid_to", "cause")
    found = findings.findings_of(customer, on)
    items = [FindingOut(**{key: getattr(one, key) for key in keys}) for one in found]
    return Findings(items=items, origin=_origin())


def _find(request: HttpRequest, code: str) -> Customer | None:
    return None if "\x00" in code else customers.find(person=request.user, code=code)


def _origin() -> Origin | None:
    run = findings.latest_published()
    if run is None:
        return None
    said = {"policy": run.pack, "policy_digest": run.policy_digest, "program": run.program_version}
    return Origin(run=run.pk, as_of=run.as_of, **said)


def _line(customer: Customer) -> dict[str, Any]:
    figures = getattr(customer, "figures", None)
    gross, net = (figures.exposure_gross, figures.exposure_net) if figures else (None, None)
    return {
        "code": customer.code,
        "name": customer.name,
        "short_name": customer.short_name,
        "unified_social_credit_code": customer.uscc,
        "country": customer.country,
        "province": customer.province,
        "industry_code": customer.industry_code,
        "group": customer.group.name if customer.group else None,
        "manager": customer.owner.username if customer.owner else None,
        "exposure": Exposure(gross=_amount(gross), net=_amount(net)),
        "score": figures.score if figures else None,
        "pd": figures.pd if figures else None,
        "signals": figures.signals if figures else None,
    }


def _amount(minor: int | None) -> str | None:
    """Minor units as a decimal text in units of the currency."""
    return None if minor is None else f"{Decimal(minor) / 100:.2f}"


def _facts(record: Any, entries: tuple[Entry, ...]) -> dict[str, Value]:
    """The dictionary columns of a record; what is empty is null, and what is an outcome is not told."""
    return {
        one.name: _amount(getattr(record, one.name)) if one.is_money else _plain(getattr(record, one.name))
        for one in entries
        if not one.outcome and hasattr(record, one.name)
    }


def _plain(value: Any) -> Value:
    if isinstance(value, date | datetime):
        return value.isoformat()
    return None if value == "" else value
