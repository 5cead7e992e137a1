from django.apps import AppConfig


class StrategiesConfig(AppConfig):
    name = "kequn.apps.strategies"
    label = "strategies"

    def ready(self) -> None:
        from kequn.apps.strategies import documents

        documents.connect()
