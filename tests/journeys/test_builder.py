"""A segment put together by keyboard: what is typed stays, and the count follows without a button."""

import pytest


@pytest.mark.parametrize(("language", "fact", "value"), [("zh-CN", "从业人员", "20"), ("en-US", "Employees", "20")])
def test_a_condition_typed_with_tab_stays_and_is_counted(reader, served, language, fact, value):
    page = reader("segment", language)
    page.goto(f"{served.url}/segments/define/")
    typed = page.locator("input[list=facts]").first
    typed.fill(fact)
    typed.press("Tab")
    word = page.locator("select[name^='w.']").first
    word.wait_for()
    assert page.locator("input[list=facts]").first.input_value() == fact
    assert page.evaluate("document.activeElement.id").startswith("w.")
    word.select_option(">=")
    number = page.locator("input[name^='v.']").first
    number.fill(value)
    number.press("Tab")
    page.locator("dl.kq-tiles").first.wait_for()
    assert page.locator("#rule-text").input_value() == f"employees >= {value}"
