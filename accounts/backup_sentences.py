"""The words for settings files (see `accounts.sentences`)."""

from collections.abc import Mapping

from django.utils.translation import gettext_noop as _

# Parameters stand in braces. (message, remedy)
BACKUP_SENTENCES: Mapping[str, tuple[str, str]] = {
    "backup_broken": (
        _("The settings file cannot be understood: {text}"),
        _("Take it as export_settings has written it, or the file of another night. Nothing was changed."),
    ),
    "backup_of_something_else": (_("This is no settings file of Genkan."), _("Nothing was changed.")),
    "backup_too_new": (
        _("The settings file has format {version}; this Genkan knows {known}."),
        _("Update Genkan first. Nothing was changed."),
    ),
    "backup_of_another": (
        _("The settings file is of something else ({what}): it says {there}, and here it is {here}."),
        _("Look whether file and settings belong together; --force takes it all the same. Nothing was changed."),
    ),
    "backup_needs_reading": (
        _("kintone and AWS have not been read into this database yet, so nothing has a place here."),
        _("Run manage.py plan first: it reads both and writes to neither."),
    ),
    "notice_backup_failed": (
        _("The settings were not written to their nightly file: {text}"),
        _("Look at BACKUP_DIR: whether the worker may write there, and whether the disk is full."),
    ),
}
