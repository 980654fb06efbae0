"""Faults on order: error answers, delays, broken connections, and roles that cannot be provisioned."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Literal


@dataclass(frozen=True)
class Fault:
    """What goes wrong with some calls. With neither `nth` nor `every`, with each call that matches.

    operation: `sso-admin:ListPermissionSets`; wildcards as in file names (`sso-admin:List*`).
    where: only calls with these parameters, compared as text: `{"TargetId": "111122223333"}`.
    nth, every: of the calls that match since the fault was added, counted from 1. times: no more often than this.
    code, message, status: answer this error instead of doing anything.
    latency: seconds before the call is handled.
    hang: say nothing until `Faults.clear()`, then close the connection; nothing is done.
    hang_up: close the connection without an answer, `before` or `after` the call was carried out.
    """

    operation: str
    code: str = ""
    message: str = "Injected fault"
    status: int = 400
    where: Mapping[str, Any] = field(default_factory=dict)
    nth: int | None = None
    every: int | None = None
    times: int | None = None
    latency: float = 0.0
    hang: bool = False
    hang_up: Literal["", "before", "after"] = ""

    def matches(self, operation: str, parameters: Mapping[str, Any]) -> bool:
        return fnmatchcase(operation, self.operation) and all(
            str(parameters.get(name)) == str(value) for name, value in self.where.items()
        )


@dataclass(frozen=True)
class ProvisioningFault:
    """A role that cannot be made, updated or taken away: the asynchronous request ends FAILED with `reason`.

    None stands for any account and any set. times: no more often than this.
    """

    reason: str
    account_id: str | None = None
    permission_set_arn: str | None = None
    times: int | None = None

    def matches(self, account_id: str, permission_set_arn: str) -> bool:
        return self.account_id in {None, account_id} and self.permission_set_arn in {None, permission_set_arn}


@dataclass
class _Counted:
    fault: Fault | ProvisioningFault
    seen: int = 0
    struck: int = 0

    def strikes(self) -> bool:
        """Count a match; whether the fault applies to it."""
        self.seen += 1
        fault = self.fault
        due = not isinstance(fault, Fault) or (
            (fault.nth is None or self.seen == fault.nth) and (fault.every is None or self.seen % fault.every == 0)
        )
        if not due or (fault.times is not None and self.struck >= fault.times):
            return False
        self.struck += 1
        return True


class Faults:
    """The faults of a world. Thread safe."""

    def __init__(self) -> None:
        self._lock, self._released = threading.Lock(), threading.Event()
        self._counted: list[_Counted] = []

    def add(self, fault: Fault | ProvisioningFault) -> None:
        with self._lock:
            self._counted.append(_Counted(fault))

    def clear(self) -> None:
        """Forget all faults and let go of the calls that hang."""
        with self._lock:
            self._counted.clear()
            self._released.set()
            self._released = threading.Event()

    def of_call(self, operation: str, parameters: Mapping[str, Any]) -> list[Fault]:
        """The faults that strike this call; asking counts as the call."""
        with self._lock:
            return [
                counted.fault
                for counted in self._counted
                if isinstance(counted.fault, Fault)
                and counted.fault.matches(operation, parameters)
                and counted.strikes()
            ]

    def of_provisioning(self, account_id: str, permission_set_arn: str) -> str | None:
        """Why the role of this set in this account cannot be updated, or None; asking counts as trying."""
        with self._lock:
            for counted in self._counted:
                fault = counted.fault
                if (
                    isinstance(fault, ProvisioningFault)
                    and fault.matches(account_id, permission_set_arn)
                    and counted.strikes()
                ):
                    return fault.reason
        return None

    def wait_for_clear(self) -> None:
        with self._lock:
            released = self._released
        released.wait()
