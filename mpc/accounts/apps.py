"""People, organisations, roles, the policy and the audit."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "mpc.accounts"
    label = "accounts"
    verbose_name = "Accounts"

    def ready(self) -> None:
        from mpc.accounts import receivers, registrations  # noqa: F401 - connect the audit and the entries of the pages
