from django.apps import AppConfig


class GovernanceConfig(AppConfig):
    name = "kequn.apps.governance"
    label = "governance"

    def ready(self) -> None:
        from kequn.apps.governance.never_changed import connect

        connect(self)
