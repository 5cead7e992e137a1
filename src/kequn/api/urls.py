"""The addresses of the API below /api/v1/, and its description for who has a token of their own to write."""

from django.urls import path

from kequn.api.routes import api

urlpatterns = [path("api/v1/", api.urls)]
for resolver in urlpatterns:
    for one in resolver.url_patterns:  # type: ignore[union-attr]
        one.callback.login_required = False  # a token takes the place of signing in
