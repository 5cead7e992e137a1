"""Every address of the pages: who may read it, who may write through it, and which record it speaks of.

Add one line for each new route. `reads` and `writes` name roles; a route without `writes` changes nothing by POST.
A route with `record` stands for one customer, and opens only for those whose scope holds it (SEES).
"""

from dataclasses import dataclass, field

EVERYONE = ("manager", "analyst", "risk", "segment", "head", "administrator", "auditor")
NOBODY = ()
ADMINISTRATOR = ("administrator",)
IMPORTERS = ("segment", "administrator")
SEE_IMPORTS = (*IMPORTERS, "auditor")
WHOLE_BOOK = ("segment", "head", "administrator", "auditor")
SEES = {  # role -> the records within its usual scope
    "manager": ("own",),
    "analyst": ("own", "team"),
    "risk": ("own", "team"),
    **dict.fromkeys(WHOLE_BOOK, ("own", "team", "other branch")),
}


@dataclass(frozen=True)
class Route:
    address: str
    reads: tuple[str, ...] = EVERYONE
    writes: tuple[str, ...] = NOBODY
    record: bool = False  # {code} in the address is a customer
    missing: bool = False  # the sample book has no such record: whoever may come so far is told 404
    open: bool = False  # for those who are not signed in
    post: dict[str, str] = field(default_factory=dict)  # what a write hands over


OUTCOMES = ("analyst", "risk", "segment", "head", "administrator", "auditor")
RATERS = ("manager", "analyst", "risk", "administrator")
RUNNERS = ("risk", "segment", "administrator")
RUNS = ("risk", "segment", "head", "administrator", "auditor")
AUDIT = ("administrator", "auditor")
ROUTES: dict[str, Route] = {
    "sign-in": Route("/sign-in/", writes=EVERYONE, open=True),
    "sign-in-code": Route("/sign-in/code/", writes=EVERYONE, open=True),
    "oidc-start": Route("/sign-in/oidc/", missing=True, open=True),
    "oidc-back": Route("/sign-in/oidc/back/", missing=True, open=True),
    "sign-out": Route("/sign-out/", reads=NOBODY, writes=EVERYONE, open=True),
    "set_language": Route("/language/", writes=EVERYONE, open=True),
    "password": Route("/password/", writes=EVERYONE),
    "two-step": Route("/two-step/", writes=EVERYONE),
    "people": Route("/people/", ADMINISTRATOR, ADMINISTRATOR, post={"username": "neu", "role": "head"}),
    "person": Route("/people/1/", ADMINISTRATOR, ADMINISTRATOR, post={"act": "deactivate"}),
    "assignment": Route("/people/assign/", ADMINISTRATOR, ADMINISTRATOR, post={"codes": "C0000001", "team": "T01"}),
    "search": Route("/search/?q=示例"),
    "home": Route("/"),
    "preferences": Route("/settings/", writes=EVERYONE),
    "tokens": Route("/settings/tokens/", writes=EVERYONE),
    "token-remove": Route("/settings/tokens/1/remove/", reads=NOBODY, writes=EVERYONE),
    "view-keep": Route("/saved-views/", reads=NOBODY, writes=EVERYONE),
    "view-remove": Route("/saved-views/1/remove/", reads=NOBODY, writes=EVERYONE),
    "customers-csv": Route("/customers.csv"),
    "customers-xlsx": Route("/customers.xlsx"),
    "customers": Route("/customers/"),
    "portfolio": Route("/portfolio/"),
    "customer": Route("/customers/{code}/", record=True),
    "customer-report": Route("/customers/{code}/report.pdf", record=True),
    "why": Route("/customers/{code}/why/size/", record=True),
    "move": Route("/customers/{code}/changes/0/", record=True, missing=True),
    "customer-rating": Route("/customers/{code}/rating/", writes=RATERS, record=True),
    "customer-covenants": Route("/customers/{code}/covenants/", writes=RATERS, record=True),
    "spread": Route("/customers/{code}/spread/", record=True),
    "ratings": Route("/ratings/"),
    "rating-portfolio": Route("/ratings/portfolio/"),
    "rating-validation": Route("/ratings/validation/", OUTCOMES),
    "rating-validation-file": Route("/ratings/validation.xlsx", OUTCOMES),
    "rating-challengers": Route("/ratings/challengers/", writes=RUNNERS, post={"model": "sample"}),
    "rating-challengers-file": Route("/ratings/challengers.xlsx?model=sample"),
    "rating-models": Route("/ratings/models/"),
    "rating-case": Route("/ratings/0/", missing=True),
    "segments": Route("/segments/"),
    "segment-define": Route("/segments/define/", IMPORTERS, IMPORTERS),
    "hierarchies": Route("/segments/hierarchies/", writes=IMPORTERS),
    "segment-history": Route("/segments/late_payers/history/", writes=RUNNERS),
    "segment-pins": Route("/segments/late_payers/pins/", writes=IMPORTERS),
    "segment-version": Route("/segment-versions/1/", WHOLE_BOOK, IMPORTERS),
    "segment-version-document": Route("/segment-versions/1/document.yaml", WHOLE_BOOK),
    "worth": Route("/worth/"),
    "strategies": Route("/strategies/"),
    "segment-strategy": Route("/segments/late_payers/strategy/", writes=IMPORTERS),
    "segment-strategy-workbook": Route("/segments/late_payers/strategy.xlsx"),
    "discoveries": Route("/discoveries/", WHOLE_BOOK, IMPORTERS, post={"features": "size"}),
    "discovery": Route("/discoveries/1/", WHOLE_BOOK),
    "approvals": Route("/approvals/"),
    "proposal": Route("/approvals/1/", WHOLE_BOOK, WHOLE_BOOK),
    "segment": Route("/segments/late_payers/"),
    "signals": Route("/signals/"),
    "migration": Route("/migration/"),
    "migration-names": Route("/migration/names/?key=credit_tier&a=high&b=high"),
    "outcomes": Route("/outcomes/", OUTCOMES),
    "outcomes-csv": Route("/outcomes.csv", OUTCOMES),
    "projects": Route("/projects/"),
    "project": Route("/projects/0/", missing=True),  # of real projects: test_project_pages.py
    "project-what-if": Route("/projects/0/what-if/", missing=True),
    "project-model": Route("/projects/0/model.yaml", missing=True),
    "project-keep": Route("/projects/0/keep/", NOBODY, EVERYONE, missing=True),
    "project-simulate": Route("/projects/0/simulate/", NOBODY, EVERYONE, missing=True),
    "project-actuals": Route("/projects/0/actuals/", NOBODY, EVERYONE, missing=True),
    "imports": Route("/imports/", SEE_IMPORTS, IMPORTERS),
    "template": Route("/imports/template/", IMPORTERS),
    "import": Route("/imports/1/", SEE_IMPORTS),
    "import-commit": Route("/imports/1/store/", NOBODY, IMPORTERS),
    "import-undo": Route("/imports/1/undo/", NOBODY, ADMINISTRATOR),
    "import-again": Route("/imports/1/again/", NOBODY, IMPORTERS),
    "import-rows": Route("/imports/1/rows/", SEE_IMPORTS),
    "import-columns": Route("/imports/1/columns/0/", IMPORTERS, IMPORTERS),
    "import-result": Route("/imports/1/results/", SEE_IMPORTS),
    "import-job": Route("/imports/jobs/1/", IMPORTERS, missing=True),
    "import-mappings": Route("/imports/mappings/", IMPORTERS),
    "import-mapping": Route("/imports/mappings/1/", NOBODY, IMPORTERS),
    "reports": Route("/reports/", writes=EVERYONE),
    "portfolio-report": Route("/reports/portfolio.pdf"),
    "report-cancel": Route("/reports/1/cancel/", NOBODY, EVERYONE),
    "report-archive": Route("/reports/1/archive/", missing=True),
    "runs": Route("/runs/", RUNS, RUNS),
    "run": Route("/runs/1/", RUNS),
    "audit": Route("/audit/", AUDIT, AUDIT),
}
