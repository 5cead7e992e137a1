from django.apps import AppConfig


class RatingsConfig(AppConfig):
    name = "kequn.apps.ratings"
    label = "ratings"

    def ready(self) -> None:
        from kequn.apps.ratings import approval, rerating

        approval.connect()
        rerating.connect()
