"""No page carries inline script or style, and every answer, errors included, carries the policy."""

import re

import pytest
from django.test import Client, override_settings
from django.urls import path

from kequn.apps.customers.models import Customer
from tests.web.routes import NOBODY, ROUTES

pytestmark = pytest.mark.django_db
INLINE = (
    r"<script(?![^>]*\bsrc=)[^>]*>",
    r"<style\b",
    r"<[^>]*\sstyle\s*=",
    r"<[^>]*\son[a-z]+\s*=\s*[\"']",
    r"javascript:",
)


def is_strict(answer) -> bool:
    policy = answer.headers.get("Content-Security-Policy", "")
    return "default-src 'none'" in policy and "unsafe" not in policy and "style-src-attr 'none'" in policy


def inline(answer) -> list[str]:
    page = answer.content.decode()
    return [found for pattern in INLINE for found in re.findall(pattern, page)]


@pytest.mark.parametrize("name", [name for name, route in ROUTES.items() if route.reads != NOBODY])
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_a_page_has_the_strict_policy_and_nothing_inline(sign_in, name, language):
    address = ROUTES[name].address.format(code=Customer.objects.order_by("pk").first().code)
    answer = sign_in("administrator", language).get(address)
    if answer.streaming:
        b"".join(answer.streaming_content)
    answer.close()
    assert is_strict(answer)
    if "html" in answer.headers.get("Content-Type", "") and not answer.streaming:
        assert inline(answer) == []


def broken(_request):
    raise ZeroDivisionError


broken.login_required = False
urlpatterns = [path("broken/", broken)]


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_errors_have_pages_of_our_own_under_the_same_policy(sign_in, language):
    words = {"en": ("may see", "role"), "zh-hans": ("没有", "角色")}[language]
    manager = sign_in("manager", language)
    for address, status, word in (("/no/such/page", 404, words[0]), ("/audit/", 403, words[1])):
        answer = manager.get(address)
        assert (answer.status_code, is_strict(answer), inline(answer)) == (status, True, [])
        assert word in answer.content.decode()


def test_a_fault_of_ours_is_told_in_both_languages_without_details(db):
    with override_settings(ROOT_URLCONF=__name__):
        client = Client(raise_request_exception=False)
        answer = client.get("/broken/")
    assert (answer.status_code, is_strict(answer), inline(answer)) == (500, True, [])
    page = answer.content.decode()
    assert "出错了" in page
    assert "Something went wrong" in page
    assert "ZeroDivision" not in page


def test_a_forged_form_is_refused_with_a_page_under_the_policy(db):
    answer = Client(enforce_csrf_checks=True).post("/sign-in/", {"username": "a", "password": "b"})
    assert (answer.status_code, is_strict(answer), inline(answer)) == (403, True, [])
