"""All addresses: the pages of kequn.web, and the API below /api/."""

from django.urls import include, path

urlpatterns = [path("", include("kequn.api.urls")), path("", include("kequn.web.urls"))]
