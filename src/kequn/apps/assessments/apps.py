from django.apps import AppConfig


class AssessmentsConfig(AppConfig):
    name = "kequn.apps.assessments"
    label = "assessments"

    def ready(self) -> None:
        from kequn.apps.assessments import bi_views, hierarchies, pins, segment_policy

        bi_views.connect(self)
        pins.connect()
        segment_policy.connect()
        hierarchies.connect()
