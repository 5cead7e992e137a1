from django.apps import AppConfig


class BriefingsConfig(AppConfig):
    name = "kequn.apps.briefings"
    label = "briefings"
