from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "kequn.apps.accounts"
    label = "accounts"
