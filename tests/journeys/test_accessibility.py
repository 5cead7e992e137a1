"""Every page that answers GET, in both languages and both themes: axe finds nothing. Pages are taken from the table of
addresses, so that a new page is looked at without being named here.
"""

import json
import re
from pathlib import Path

import pytest
from django.urls import URLPattern, get_resolver

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
CODE, PARTS = "C0000001", ("overview", "group", "statements", "facilities", "projects", "findings", "timeline")
KNOWN = {"code": [CODE], "key": ["grade"], "number": ["1"]}
LOOK = "axe.run(document, {resultTypes: ['violations']}).then(found => JSON.stringify(found.violations))"
NOT_PAGES = re.compile(
    r"\.csv|\.xlsx|template/|results/|/report|sign-out|language/|metrics|health|static|\.pdf|download"
)


def addresses(pattern_list, prefix=""):
    """Every address of the program with its placeholders filled in."""
    for one in pattern_list:
        route = prefix + str(one.pattern)
        if not isinstance(one, URLPattern):
            yield from addresses(one.url_patterns, route)
        elif "/why/" in route:
            yield from (f"/customers/{CODE}/why/{key}/" for key in ("grade", "score", "size", "credit_tier"))
        elif "segments/<" in route:
            if route.endswith("/strategy/"):
                yield "/segments/late_payers/strategy/"
            yield from (f"/segments/{key}/" for key in ("late_payers", "sig_past_due", "ind_energy"))
        elif "<path:" not in route and not NOT_PAGES.search(route):
            yield "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda found: KNOWN.get(found[1], ["1"])[0], route)


def pages():
    every = sorted(set(addresses(get_resolver().url_patterns)))
    parts = [f"/customers/{CODE}/?tab={part}" for part in PARTS]
    return [*every, *parts, "/customers/?size=micro&sort=-exposure", "/customers/?q=nobody-of-this-name"]


@pytest.mark.parametrize(("language", "theme"), [("zh-CN", "light"), ("zh-CN", "dark"), ("en-US", "light"),
                                                 ("en-US", "dark")])  # fmt: skip
def test_axe_finds_nothing_on_any_page(browser, served, language, theme):
    """Our own policy allows no foreign script; it is lifted here, in the browser, for axe alone."""
    context = browser.new_context(locale=language, color_scheme=theme, bypass_csp=True)
    page = context.new_page()
    page.goto(f"{served.url}/sign-in/")
    name, password = served.logins["administrator"]
    page.fill("#id_username", name)
    page.fill("#id_password", password)
    page.click("main button.btn-primary")
    page.wait_for_load_state()
    found, looked_at = [], 0
    for address in pages():
        answer = context.request.get(served.url + address)  # an address that only takes in writes has no page
        if answer.status != 200 or "text/html" not in answer.headers.get("content-type", ""):
            continue
        page.goto(served.url + address)
        looked_at += 1
        page.add_script_tag(path=str(AXE))
        for one in json.loads(page.evaluate(LOOK)):
            found += [f"{address}: {one['id']} {node['html'][:120]}" for node in one["nodes"][:3]]
    context.close()
    assert looked_at > 25
    assert not found, "\n".join(found)
