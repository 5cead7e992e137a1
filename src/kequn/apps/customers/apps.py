from django.apps import AppConfig


class CustomersConfig(AppConfig):
    name = "kequn.apps.customers"
    label = "customers"
