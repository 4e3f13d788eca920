"""People, organisations, roles, the policy and the audit."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "mpc.accounts"
    label = "accounts"
    verbose_name = "Accounts"

    def ready(self) -> None:
        # Connect the audit, the entries of the pages, and the sweeper's step.
        from mpc.accounts import idempotency, receivers, registrations  # noqa: F401
