from django.apps import AppConfig


class AssessmentsConfig(AppConfig):
    name = "kequn.apps.assessments"
    label = "assessments"

    def ready(self) -> None:
        from kequn.apps.assessments.bi_views import connect

        connect(self)
