"""The one box: its page of results."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from kequn.apps.search import selectors


def search(request: HttpRequest) -> HttpResponse:
    question = request.GET.get("q", "").strip()[:200]
    results = selectors.search(person=request.user, question=question)
    more = results.count - len(results.customers)
    return render(request, "kequn/search.html", {"question": question, "results": results, "more": more})
