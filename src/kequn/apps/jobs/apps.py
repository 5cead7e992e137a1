from django.apps import AppConfig


class JobsConfig(AppConfig):
    name = "kequn.apps.jobs"
    label = "jobs"
