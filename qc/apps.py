"""Quality reports: the centre's own inspections beside the on-line quality control of the ground segment."""

from django.apps import AppConfig


class QcConfig(AppConfig):
    name = "qc"
    label = "qc"
    verbose_name = "Quality control"

    def ready(self) -> None:
        from qc import jobs, registrations  # noqa: F401 - declare the job and the entries of the pages
