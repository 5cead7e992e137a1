"""What a newcomer does on the first day, in a browser: both languages, a desk and a phone, scripts on and off."""

import pytest


@pytest.mark.parametrize(("language", "customers", "why"), [("zh-CN", "客户", "原因"), ("en-US", "Customers", "Why")])
@pytest.mark.parametrize("width", [1280, 390])
def test_from_the_door_to_the_reason_of_a_class(reader, language, customers, why, width):
    page = reader("head", language, width)
    page.locator("nav").get_by_role("link", name=customers, exact=True).click()
    assert page.locator("h1").inner_text() == customers
    page.locator("tbody a").first.click()
    page.locator(".kq-tabs a[href='?tab=findings']").click()
    page.get_by_role("link", name=f"{why}: ").first.click()
    assert page.locator("h2").first.inner_text() == why
    assert page.errors == []


@pytest.mark.parametrize(
    "address",
    ["/", "/customers/", "/portfolio/", "/settings/", "/segments/", "/signals/", "/migration/", "/runs/", "/imports/"],
)
def test_no_page_is_wider_than_a_phone(reader, served, address):
    page = reader("administrator", width=390)
    page.goto(served.url + address)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_language_changes_in_place_and_stays(reader, served):
    page = reader("head", "zh-CN")
    page.goto(f"{served.url}/segments/?from=here")
    page.get_by_role("button", name="English").click()
    assert page.locator("h1").inner_text() == "Segments"
    page.goto(f"{served.url}/customers/")
    assert page.locator("h1").inner_text() == "Customers"


def test_everything_works_with_scripts_off(reader, served):
    page = reader("head", "en-US", scripts=False)
    page.locator("nav").get_by_role("link", name="Customers", exact=True).click()
    page.select_option("#f-size", "micro")
    page.get_by_role("button", name="Show").click()
    assert "size=micro" in page.url
    assert page.locator("a.kq-chip").first.inner_text().startswith("Size: Micro")


def test_a_wrong_password_is_said_and_the_name_is_kept(browser, served, reader):
    page = reader("head", "en-US")
    page.get_by_role("button", name="Sign out").click()
    page.fill("#id_username", "demo-head")
    page.fill("#id_password", "not-the-password")
    page.click("main button.btn-primary")
    assert page.locator("[role=alert]").count() == 1
    assert page.input_value("#id_username") == "demo-head"


def test_the_keyboard_reaches_the_content_first(reader):
    page = reader("head", "en-US")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#content"
