"""How the portal is set, for whoever wonders why nothing happens. Information, not trouble."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from accounts import stops
from portal.doctor.reports import Check, failed, passed, warned
from syncer.models import Baseline, SecretEnd
from syncer.states import Reason

NOTICE = timedelta(days=30)


def check_ownership_tag() -> Check:
    return passed("ownership_tag", Reason("doctor_ownership_tag", {"tag": settings.OWNERSHIP_TAG}))


def check_mode() -> Check:
    if settings.SYNC_MODE == "plan":
        return warned("sync_mode", Reason("doctor_mode_plan"))
    return passed("sync_mode", Reason("doctor_mode_apply"))


def check_drift() -> Check:
    hours = f"{settings.DRIFT_GRACE_HOURS:g}"
    if settings.DRIFT == "notify":
        return passed("drift", Reason("doctor_drift_notify"))
    if settings.DRIFT == "overwrite":
        return passed("drift", Reason("doctor_drift_overwrite"))
    return passed("drift", Reason("doctor_drift_grace", {"hours": hours}))


def check_pause() -> Check:
    pause = stops.find_pause()
    if pause is None:
        return passed("pause", Reason("doctor_not_paused"))
    params = dict(stops.describe(pause))
    return warned("pause", Reason("paused", {"until": params["until"], "by": params["by"], "why": params["why"]}))


def check_secret_ends() -> Check:
    """Ends of secrets that an admin has written down: the nearest of them."""
    name, today = "secret_ends", timezone.localdate()
    first = SecretEnd.objects.order_by("ends_on", "pk").first()
    if first is None:
        return passed(name, Reason("doctor_secret_ends_none"))
    params = {"name": str(first), "until": first.ends_on.isoformat(), "days": (first.ends_on - today).days}
    if first.ends_on < today:
        return failed(name, Reason("notice_secret_over", params))
    if first.ends_on - today <= NOTICE:
        return warned(name, Reason("notice_secret_ends", params))
    return passed(name, Reason("doctor_secret_ends", params))


def check_baseline() -> Check:
    if Baseline.objects.exists():
        return passed("baseline", Reason("doctor_baseline"))
    return warned("baseline", Reason("doctor_baseline_missing"))
