from django.apps import AppConfig


class IngestConfig(AppConfig):
    name = "kequn.apps.ingest"
    label = "ingest"
