from django.apps import AppConfig


class ProjectsConfig(AppConfig):
    name = "kequn.apps.projects"
    label = "projects"

    def ready(self) -> None:
        from kequn.apps.projects import simulating

        _ = simulating  # its job is known to every worker
