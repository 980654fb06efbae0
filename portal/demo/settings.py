"""The portal's settings with one difference: a demo keeps its messages beside its own database.

So two demos, or a demo and a portal run by hand, never take each other's tasks.
"""

from pathlib import Path

from portal import settings as portal_settings

globals().update({name: value for name, value in vars(portal_settings).items() if name.isupper()})

_BROKER = Path(portal_settings.DATABASES["default"]["NAME"]).parent / "broker"
CELERY_BROKER_TRANSPORT_OPTIONS = {
    **portal_settings.CELERY_BROKER_TRANSPORT_OPTIONS,
    "data_folder_in": str(_BROKER / "queue"),
    "data_folder_out": str(_BROKER / "queue"),
    "control_folder": str(_BROKER / "control"),
}
