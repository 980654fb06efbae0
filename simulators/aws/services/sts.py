"""STS: who a caller is, and temporary credentials for roles of the world."""

import re
from collections.abc import Callable, Mapping

from simulators.aws.calls import Answer, Call
from simulators.aws.errors import AwsError

_ROLE_ARN = re.compile(r"arn:aws:iam::(\d{12}):role/(.+)")
_DEFAULT_SECONDS = 3600


def get_caller_identity(call: Call) -> Answer:
    caller = call.caller
    return {"UserId": f"{caller.role_id}:{caller.session}", "Account": caller.account_id, "Arn": caller.arn}


def assume_role(call: Call) -> Answer:
    """Every caller may assume every role there is; what there is not is denied, as AWS does not tell the two apart."""
    arn = call.text("RoleArn")
    found = _ROLE_ARN.fullmatch(arn)
    if found is None:
        raise AwsError("ValidationError", f"{arn} is invalid")
    account_id, role = found.groups()
    if (account_id, role) not in call.world.roles:
        message = f"User: {call.caller.arn} is not authorized to perform: sts:AssumeRole on resource: {arn}"
        raise AwsError("AccessDenied", message, 403)
    seconds = int(call.parameters.get("DurationSeconds", _DEFAULT_SECONDS))
    key = call.world.assume_role(account_id, role, call.text("RoleSessionName"), seconds)
    return {
        "Credentials": {
            "AccessKeyId": key.id,
            "SecretAccessKey": key.secret,
            "SessionToken": key.token,
            "Expiration": key.expires,
        },
        "AssumedRoleUser": {"AssumedRoleId": f"{key.role_id}:{key.session}", "Arn": key.arn},
    }


OPERATIONS: Mapping[str, Callable[[Call], Answer]] = {
    "GetCallerIdentity": get_caller_identity,
    "AssumeRole": assume_role,
}
