"""How numbers and names are written on a page, in the reader's language.

Amounts arrive as integer minor units of yuan (分) and are shown in the unit that the reader chose.
"""

from decimal import Decimal
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext_noop
from django.utils.translation import gettext as _

from kequn.apps.accounts.selectors import names_of_actors
from kequn.web import labels
from kequn.web.preferences import unit

register = template.Library()
NOT_KNOWN = "–"


def language() -> labels.Language:
    return "en" if (get_language() or "").startswith("en") else "zh"


def grouped(value: Decimal | float, places: int) -> str:
    return f"{value:,.{places}f}"


OTHER_ACTORS = {
    "local:administrator": gettext_noop("administrator at the terminal"),
    "sign-in": gettext_noop("sign-in page"),
    "system:daily": gettext_noop("the clock of the program"),
    "system:rerate": gettext_noop("the system"),
}


@register.simple_tag(takes_context=True)
def actor(context: dict[str, Any], key: str) -> str:
    """Who acted, by name; the keys of a page are looked up together."""
    request = context.get("request")
    names: dict[str, str] | None = getattr(request, "actor_names", None)
    if names is None:
        names = names_of_actors()
        if request is not None:
            request.actor_names = names
    if key in OTHER_ACTORS:
        return _(OTHER_ACTORS[key])
    if key.startswith("pack:"):
        return _("policy pack %(name)s") % {"name": key.removeprefix("pack:")}
    return names.get(key) or key.removeprefix("user:")


@register.filter
def count(value: int | str | None) -> str:
    return grouped(value, 0) if isinstance(value, int | float) else NOT_KNOWN


@register.filter
def money_bare(minor: float | str | None) -> str:
    """An amount without its unit, for columns whose head names it. Templates give '' for what is not there."""
    if not isinstance(minor, int | float):
        return NOT_KNOWN
    return unit(language()).bare(minor)


@register.simple_tag
def money_unit() -> str:
    return unit(language()).name(language())


@register.filter
def money(minor: float | str | None) -> str:
    if not isinstance(minor, int | float):
        return NOT_KNOWN
    return unit(language()).said(minor, language())


@register.filter
def money_typed(minor: int | None) -> str:
    """An amount as one would type it in the reader's unit; nothing where there is none."""
    if minor is None:
        return ""
    value = (Decimal(minor) / unit(language()).minor).normalize()
    return f"{value:f}"


@register.simple_tag
def money_code() -> str:
    return unit(language()).code


@register.filter
def percent(value: float | str | None, places: int = 2) -> str:
    return f"{grouped(value * 100, places)}%" if isinstance(value, int | float) else NOT_KNOWN


@register.filter
def figure(value: Any) -> str:
    """A fact's value as a reader expects it: grouped numbers, dates, yes or no, a dash where unknown."""
    if value is None or value == "":
        return NOT_KNOWN
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, (int, float, Decimal)):
        places = 0 if value == int(value) else (4 if abs(value) < 10 else 2)
        return grouped(value, places)
    return str(value)


@register.simple_tag
def value_label(name: str, value: str | None) -> str:
    return labels.value(name, value, language())


@register.simple_tag
def state_label(name: str, value: str | None) -> SafeString:
    """A value as icon, word and colour; never colour alone."""
    return format_html('<span class="kq-state {}">{}</span>', labels.mood(value), labels.value(name, value, language()))


@register.filter
def in_language(text: Any) -> str:
    """A bilingual text in the reader's language."""
    return text.in_language(language()) if text is not None else ""


@register.simple_tag
def share_bar(part: float | None, whole: float | None) -> SafeString:
    """A bar of part over whole with its percentage in words beside it. Written here: a page may hold hundreds."""
    if part is None or whole in (None, 0):
        return format_html('<span class="kq-quiet">{}</span>', NOT_KNOWN)
    ratio = float(part) / float(whole)  # type: ignore[arg-type]
    width = f"{max(0.0, min(1.0, ratio)) * 100:.1f}"
    return format_html(
        '<span class="kq-quiet">{}</span> <svg class="kq-share" viewBox="0 0 100 10" preserveAspectRatio="none"'
        ' aria-hidden="true"><rect class="track" width="100" height="10"/>'
        '<rect class="fill" width="{}" height="10"/></svg>',
        percent(ratio, 1), width,
    )  # fmt: skip
