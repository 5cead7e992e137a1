"""Define a segment: groups and conditions, its text, what it would hold, and keeping it as a draft."""

import json
import time
from datetime import date
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django_htmx.http import HttpResponseClientRedirect

from kequn.apps.accounts.access import DEFINE, may
from kequn.apps.assessments.prospect import weigh
from kequn.apps.assessments.segment_policy import Asked, draft_segment, row_of
from kequn.apps.assessments.standing_book import StandingBook, known_counts, standing_book, stands
from kequn.apps.discoveries.selectors import rule_row
from kequn.apps.governance.models import DocumentVersion, VersionState
from kequn.apps.governance.selectors import SEGMENT, body_of
from kequn.domain.errors import KequnError, Refused
from kequn.domain.facts import Vocabulary
from kequn.domain.rules.groups import Group, from_rqb, groups_of, text_of, to_rqb
from kequn.policy.planning import rule_of
from kequn.policy.rule_text import parse, render_text
from kequn.policy.segment_document import from_yaml
from kequn.policy.telling import Teller
from kequn.web import labels
from kequn.web.rule_form import EMPTY, Shower, acted, group_posted, whole_number
from kequn.web.templatetags.kequn import language

FIELDS = ("name", "zh", "en", "unknown", "dimension", "note", "source")
LONGEST = 20_000


def define(request: HttpRequest) -> HttpResponse:
    """A new segment, the next version of one (`from`), the rule of a discovery, or a draft (`version`)."""
    if not may(request.user, DEFINE):
        raise PermissionDenied
    page = _Page(request)
    if request.method == "POST" and request.POST.get("act") == "save":
        saved = page.save()
        if saved is not None:
            messages.success(
                request, _("The draft is kept. Look at what it would do, then put it before its checkers.")
            )
            to = redirect("segment-version", saved.pk)
            return HttpResponseClientRedirect(to.url) if request.htmx else to
    elif request.method == "POST":
        page.act(request.POST.get("act", ""))
    template = "kequn/builder_part.html" if request.htmx else "kequn/builder.html"
    answer = render(request, template, page.context(), status=422 if page.problems and page.is_saving else 200)
    answer["Server-Timing"] = f"rule;dur={page.milliseconds:.1f}"
    return answer


class _Page:
    """One look at the builder: what was typed, what it means, what it would hold."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.pack, self.today = labels.pack(), timezone.localdate()
        try:
            self.standing: StandingBook | None = standing_book()
        except Refused:
            self.standing = None
        self.as_of = self.standing.book.as_of if self.standing is not None else self.today
        self.words: Vocabulary = labels.plan().vocabulary
        self.problems: list[str] = []
        self.milliseconds = 0.0
        self.is_saving = request.POST.get("act") == "save"
        self.fields, self.group = self._begun()

    def _begun(self) -> tuple[dict[str, str], Group]:
        """From the form; else from the draft or the segment that is named; else empty."""
        posted = self.request.POST
        if self.request.method == "POST":
            fields = {name: posted.get(name, "") for name in (*FIELDS, "effective_from", "reason", "retires")}
            return fields, group_posted(posted, self.words)
        row, fields = self._named()
        day = fields.pop("effective_from", self.today.isoformat())
        fields = {name: str(row.get(name, "")) for name in FIELDS} | fields | {"effective_from": day}
        fields["unknown"] = fields["unknown"] or "out"
        return fields, self._grouped(row.get("rule", ""))

    def _named(self) -> tuple[dict[str, Any], dict[str, str]]:
        number, key = self.request.GET.get("version", ""), self.request.GET.get("from", "")
        if number:
            drafts = DocumentVersion.objects.filter(kind=SEGMENT, state=VersionState.DRAFT)
            version = drafts.filter(pk=whole_number(number) or 0).first()
            if version is None:
                raise Http404
            said = {"effective_from": version.effective_from.isoformat(), "reason": version.reason}
            return body_of(version), said | {"retires": "yes" if version.retires else ""}
        if self.request.GET.get("discovery"):
            asked = [whole_number(self.request.GET.get(name, "")) or 0 for name in ("discovery", "group")]
            found = rule_row(self.request.user, *asked)
            if found is None:
                raise Http404
            return dict(found), {}
        if key:
            row = row_of(self.pack, key, self.today)
            if row is None:
                raise Http404
            return dict(row), {}
        return {}, {}

    def _grouped(self, text: str) -> Group:
        """The groups of a rule text; one empty condition where there is none, or none that can be read."""
        if not text.strip():
            return Group("all", (EMPTY,))
        try:
            return groups_of(parse(text[:LONGEST], self.words))
        except Refused as refused:
            self._refused(refused)
            return Group("all", (EMPTY,))

    def act(self, act: str) -> None:
        """Everything but saving: add, remove, read the rule from text, from JSON or from a YAML document."""
        posted = self.request.POST
        if act == "text":
            kept = self.group
            self.group = self._grouped(posted.get("text", ""))
            if self.problems:
                self.group = kept
        elif act == "json":
            try:
                self.group = from_rqb(json.loads(posted.get("rqb", "")[:LONGEST]), self.words)
            except Refused as refused:
                self._refused(refused)
            except (ValueError, RecursionError):
                self.problems.append(_("This is not JSON."))
        elif act == "yaml":
            try:
                body = from_yaml(posted.get("yaml", "")[:LONGEST])
            except Refused as refused:
                self._refused(refused)
                return
            self.fields |= {name: body.get(name, "") for name in FIELDS}
            self.group = self._grouped(body["rule"])
        else:
            self.group = acted(self.group, act)

    def save(self) -> DocumentVersion | None:
        shower = self._shower()
        self.problems += shower.problems(self.group) + shower.unfinished(self.group)
        try:
            day = date.fromisoformat(self.fields["effective_from"])
        except ValueError:
            self.problems.append(_("The day from which it holds is not a date."))
        if self.problems:
            return None
        row = {name: self.fields[name] for name in FIELDS} | {"rule": self.text()}
        asked = Asked(row, day, self.fields["reason"], "page", self.fields["retires"] == "yes")
        try:
            return draft_segment(person=self.request.user, asked=asked)
        except KequnError as error:
            self._refused(error)
            return None

    def text(self) -> str:
        """The rule as text, in its shortest form where it can be read."""
        said = text_of(self.group, self.words)
        try:
            return render_text(parse(said, self.words)) if said else ""
        except Refused:
            return said

    def _refused(self, error: KequnError) -> None:
        findings = error.findings if isinstance(error, Refused) else ()
        self.problems += [one.text.in_language(language()) for one in findings] or [error.text.in_language(language())]

    def _shower(self) -> Shower:
        plan = labels.plan()
        known = known_counts(self.standing, plan) if self.standing is not None else {}
        return Shower(self.words, known, language())

    def context(self) -> dict[str, Any]:
        shower, text = self._shower(), self.text()
        return {
            "fields": self.fields, "root": shower.part(self.group), "text": text, "problems": self.problems,
            "offered": [] if self.request.htmx else shower.offered(), "live": self._live(text, shower),
            "rqb": json.dumps(to_rqb(self.group, self.words), ensure_ascii=False, indent=1),
            "unknowns": [("out", _("out of it")), ("in", _("in it")), ("list", _("on the list of missing data"))],
        }  # fmt: skip

    def _live(self, text: str, shower: Shower) -> dict[str, Any]:
        """The sentence of the rule, and how many with how much it would hold on the facts of the last run."""
        wrong = shower.problems(self.group)
        if wrong or not text:
            return {"problems": wrong}
        begun = time.perf_counter()
        try:
            rule = rule_of(self.pack, self.as_of, text)
        except Refused as refused:
            return {"problems": [one.text.in_language(language()) for one in refused.findings] or [str(refused)]}
        said: dict[str, Any] = {"sentence": Teller(self.pack, labels.plan(), language()).sentence(rule)}
        if self.standing is not None:
            verdict = self.standing.verdicts(self.pack, rule)
            held = weigh(self.standing, stands(verdict, self.fields["unknown"]))
            said |= {"weight": held, "unknown": weigh(self.standing, verdict == -1), "as_of": self.as_of,
                     "whole": len(self.standing.codes)}  # fmt: skip
        self.milliseconds = (time.perf_counter() - begun) * 1000
        return said
