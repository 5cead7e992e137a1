from django.apps import AppConfig


class DealsConfig(AppConfig):
    name = "kequn.apps.deals"
    label = "deals"
