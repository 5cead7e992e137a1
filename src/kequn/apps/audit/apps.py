from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "kequn.apps.audit"
    label = "audit"
