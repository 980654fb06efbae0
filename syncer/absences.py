"""Whether provisioning from Entra ID looks stopped: people who sign in here and stay absent over there. Pure."""

from collections.abc import Collection
from datetime import datetime, timedelta

from syncer.states import Problem

LONG = timedelta(hours=2)  # Entra ID's cycle takes some 40 minutes
SEVERAL = 3  # one or two may simply not be assigned to the application


def find_stopped(absent_since: Collection[datetime], now: datetime) -> tuple[Problem, ...]:
    """One problem once several have been absent for long; it bears no figures, so that it is one and the same."""
    long_absent = sum(now - since >= LONG for since in absent_since)
    return (Problem("provisioning_stopped"),) if long_absent >= SEVERAL else ()
