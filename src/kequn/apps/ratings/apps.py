from django.apps import AppConfig


class RatingsConfig(AppConfig):
    name = "kequn.apps.ratings"
    label = "ratings"

    def ready(self) -> None:
        from kequn.apps.ratings import approval, challenging, rerating  # noqa: F401 - their kinds of work are known then

        approval.connect()
        rerating.connect()
