"""sso-admin as a whole."""

from collections.abc import Callable, Mapping

from simulators.aws.calls import Answer, Call
from simulators.aws.services import account_assignments, instances, permission_sets

OPERATIONS: Mapping[str, Callable[[Call], Answer]] = {
    **instances.OPERATIONS,
    **permission_sets.OPERATIONS,
    **account_assignments.OPERATIONS,
}
