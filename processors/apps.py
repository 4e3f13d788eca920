"""Processors and their configuration; for now the simulator's products and the demonstration mission."""

from django.apps import AppConfig


class ProcessorsConfig(AppConfig):
    name = "processors"
    label = "processors"
    verbose_name = "Processors"
