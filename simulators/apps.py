"""The simulators are a Django app for the sake of their command alone: they have no models."""

from django.apps import AppConfig


class SimulatorsConfig(AppConfig):
    name = "simulators"
