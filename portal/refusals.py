"""Why a sign-in did not happen, in words for the person who tried."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Reason(TextChoices):
    """Each label is one sentence or two: what happened, what to do. Details are for the log only."""

    CANCELLED = "cancelled", _("The sign-in was cancelled. Nothing has changed.")
    DENIED = "denied", _("Microsoft Entra ID did not let this sign-in through. Try again, or pick another account.")
    STALE = "stale", _("This sign-in was finished already, or was begun in another browser. Please begin again.")
    PROVIDER = "provider", _("Microsoft Entra ID could not be reached or did not answer. Try again in a few minutes.")
    TOKEN = "token", _("What Microsoft Entra ID answered could not be trusted, so nobody was signed in. Try again.")
    GUEST = "guest", _("Guest accounts cannot sign in here. Please pick an account of this organization.")
    INACTIVE = "inactive", _("Your sign-in to this portal has been switched off. Please ask the operators why.")
    UNEXPECTED = "unexpected", _("Something went wrong on our side, and nobody was signed in. Try again.")


class SignInRefused(Exception):
    """A sign-in that must not happen. `detail` goes to the log and the audit trail: never secrets, never raw texts."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason.value}: {detail}")
        self.reason = reason
        self.detail = detail
