"""The pack `cn` is sound, complete and says what is wrong when it is not."""

import shutil
from datetime import date

import pytest

from kequn.domain.errors import Misuse, Refused
from kequn.policy import build_plan, load_pack
from kequn.policy.loading import SHIPPED, digest_of
from kequn.policy.planning import tables_of

AS_OF = date(2026, 9, 30)


@pytest.fixture
def copy(tmp_path):
    """An institution's own copy of the pack, which it may change."""
    folder = tmp_path / "own"
    shutil.copytree(SHIPPED / "cn", folder)
    return folder


def changed(folder, file, old, new):
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return folder


def refusal(folder):
    with pytest.raises(Refused) as refused:
        load_pack(folder)
    return [str(finding.place) + ": " + finding.text.en for finding in refused.value.findings]


def test_the_pack_is_large_enough_to_measure():
    plan = build_plan(load_pack("cn"), AS_OF)
    kinds = [definition.kind for definition in plan.definitions]
    ratios = [one for one in plan.definitions if one.kind == "derived" and one.unit in {"ratio", "times", "days"}]
    assert len(ratios) >= 20
    assert kinds.count("segment") >= 30
    assert kinds.count("points") >= 15
    assert kinds.count("signal") >= 25
    assert kinds.count("price") >= 12


def test_definitions_stand_after_what_they_read():
    from kequn.domain.rules.tree import facts_in

    plan = build_plan(load_pack("cn"), AS_OF)
    defined = {one.name for one in plan.definitions}
    seen: set[str] = set()
    for one in plan.definitions:
        assert {ref.name for ref in facts_in(one.expr)} & defined <= seen
        seen.add(one.name)


def test_every_table_names_source_date_and_whether_it_was_verified():
    for heading in load_pack("cn").headings():
        assert all((heading.source.zh, heading.source.en)), heading.file
        assert heading.in_force > date(2000, 1, 1), heading.file
        assert heading.status in {"verified", "memory", "illustration"}, heading.file
        assert all((heading.title.zh, heading.title.en)), heading.file


def test_documents_that_stand_by_themselves_show_their_status_too():
    found = {heading.file: heading.status for heading in load_pack("cn").headings()}
    assert (found["classification.yaml"], found["staging.yaml"]) == ("memory", "memory")
    assert found["slotting.yaml"] == "illustration"


def test_a_copy_by_path_is_the_same_policy_until_it_is_changed(copy):
    assert load_pack(copy).digest == load_pack("cn").digest == digest_of(copy)
    assert load_pack(changed(copy, "prices.yaml", "value: 0.45", "value: 0.46")).digest != load_pack("cn").digest


def test_an_unknown_pack_is_named_with_what_there_is():
    with pytest.raises(Misuse, match=r"no policy pack cm.*cn"):
        load_pack("cm")


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("formulas.yaml", "total_liabilities / total_assets", "total_liabilitys / total_assets", "total_liabilities"),
        ("segments.yaml", "size = 'large'\"", 'size > 3"', "size_large"),
        ("credit.yaml", '"[0.35..0.5)"', '"[0.36..0.5)"', "gap"),
        ("credit.yaml", '"[0.35..0.5)"', '"[0.34..0.5)"', "overlap"),
        ("credit.yaml", "fact: debt_ratio, weight: 10", "fact: debt_ratio, weight: 11", "weights do not sum"),
        ("warnings.yaml", "en: Loss over twelve months", "en: ''", "missing in one language"),
        ("warnings.yaml", "level: yellow", "level: purple", "blue yellow orange red"),
        ("prices.yaml", "status: memory", "status: sure", "verified memory illustration"),
        ("prices.yaml", "in_force: 2025-05-20", "in_force: soon", "YYYY-MM-DD"),
        (
            "strategies.yaml",
            "credit_tier: high, size: large",
            "credit_tier: best, size: large",
            "high middle low unknown",
        ),
        ("formulas.yaml", '"total_liabilities / total_assets"', '"debt_to_assets * net_margin"', ""),
        ("facts.yaml", "name: cash, type: number", "name: cash, type: numeral", "number text boolean date"),
        ("size.yaml", "hit: first", "hit: last", "unique first priority collect"),
    ],
)
def test_a_fault_is_named_by_file_and_key(copy, file, old, new, said):
    if not said:
        load_pack(changed(copy, file, old, new))
        return
    found = refusal(changed(copy, file, old, new))
    assert any(file in line and said in line for line in found), found


def test_a_circle_of_definitions_is_refused_by_name(copy):
    changed(copy, "formulas.yaml", '"total_liabilities / total_assets"', '"debt_to_assets + net_margin"')
    changed(copy, "formulas.yaml", '"total_debt / total_assets"', '"debt_ratio + 1"')
    assert any("circle" in line and "debt_ratio" in line and "debt_to_assets" in line for line in refusal(copy))


@pytest.mark.parametrize("source", ["our own", "{zh: 自定}", "{en: our own}"])
def test_a_source_in_one_language_is_refused_and_the_file_is_named(copy, source):
    file = copy / "worth.yaml"
    text = file.read_text(encoding="utf-8")
    start, end = text.index("source:"), text.index("in_force:")
    file.write_text(f"{text[:start]}source: {source}\n{text[end:]}", encoding="utf-8")
    with pytest.raises(Refused) as refused:
        load_pack(copy)
    assert "worth.yaml" in {one.place.file for one in refused.value.findings}


def test_a_key_twice_is_refused(copy):
    assert any(
        "twice" in line
        for line in refusal(changed(copy, "geography.yaml", "status: illustration", "status: memory\nstatus: memory"))
    )


def test_the_edition_in_force_at_the_date_is_read(copy):
    text = (copy / "prices.yaml").read_text(encoding="utf-8")
    later = text.replace("in_force: 2025-05-20", "in_force: 2026-06-01").replace("value: 0.45", "value: 0.50")
    (copy / "prices.2026.yaml").write_text(later, encoding="utf-8")
    pack = load_pack(copy)
    before, after = build_plan(pack, date(2026, 5, 31)), build_plan(pack, date(2026, 6, 1))
    assert before.definition("price_working_capital").expr != after.definition("price_working_capital").expr


def test_profiles_say_for_each_family_what_it_needs_and_how_it_repays():
    profiles = load_pack("cn").profiles(AS_OF)
    assert set(profiles) == {"technology", "energy", "infrastructure", "manufacturing", "services", "other"}
    for profile in profiles.values():
        assert profile["minds_most"] in {"flexibility", "cost", "certainty"}
        for key in ("label", "need_amount", "need_speed", "risk_borne", "repays_from"):
            assert all((profile[key]["zh"], profile[key]["en"]))


def test_grades_fall_as_pd_rises_and_there_are_ten_or_more():
    rows = tables_of(load_pack("cn"), AS_OF)["grade"].rows
    grades = [row.outcomes[0] for row in rows if row.outcomes[0] != "D"]
    assert len(grades) >= 10
    assert grades == sorted(grades)


def test_reference_rates_are_dated_and_unknown_currencies_have_none():
    pack = load_pack("cn")
    assert pack.cny_per_unit("CNY", AS_OF) == 1.0
    assert pack.cny_per_unit("USD", AS_OF) > 1
    assert pack.cny_per_unit("XXX", AS_OF) is None


def test_a_named_number_is_read_by_its_name():
    assert load_pack("cn").constant("default_past_due_days", AS_OF) == 90.0
    with pytest.raises(KeyError, match="no_such_number"):
        load_pack("cn").constant("no_such_number", AS_OF)


def test_a_constant_of_a_dated_series_is_what_was_published_by_the_date():
    pack = load_pack("cn")
    assert pack.constant("lpr_5y", date(2024, 8, 1)) == 0.0385
    assert pack.constant("lpr_5y", date(2025, 5, 19)) == 0.036
    assert pack.constant("lpr_5y", date(2025, 5, 20)) == 0.035
    assert {item.constant for item in pack.items(date(2024, 8, 1)) if item.name == "lpr_5y"} == {0.0385}


def test_a_constant_of_a_series_that_is_not_there_is_refused(copy):
    complaints = refusal(changed(copy, "prices.yaml", "table: lpr, tenor: 1y", "table: shibor, tenor: 1y"))
    assert any("lpr_1y" in one and "a number is needed" in one for one in complaints)
