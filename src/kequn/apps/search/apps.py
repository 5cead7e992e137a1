from django.apps import AppConfig


class SearchConfig(AppConfig):
    name = "kequn.apps.search"
    label = "search"
