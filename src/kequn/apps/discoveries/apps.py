from django.apps import AppConfig


class DiscoveriesConfig(AppConfig):
    name = "kequn.apps.discoveries"
    label = "discoveries"
