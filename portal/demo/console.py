"""`python -m portal.demo.console PARAMETERS`: assign something to a person by hand, as in AWS's console.

PARAMETERS are those of sso-admin's CreateAccountAssignment, as JSON.
"""

import json
import sys
import time

import boto3

SECONDS = 30.0
"""How long AWS may be at work on it."""


def main(parameters: dict[str, str]) -> None:
    client = boto3.client("sso-admin")
    status = client.create_account_assignment(
        InstanceArn=parameters["InstanceArn"],
        TargetId=parameters["TargetId"],
        TargetType="AWS_ACCOUNT",
        PermissionSetArn=parameters["PermissionSetArn"],
        PrincipalType="USER",
        PrincipalId=parameters["PrincipalId"],
    )["AccountAssignmentCreationStatus"]
    deadline = time.monotonic() + SECONDS
    while status["Status"] == "IN_PROGRESS" and time.monotonic() < deadline:
        time.sleep(0.2)
        status = client.describe_account_assignment_creation_status(
            InstanceArn=parameters["InstanceArn"], AccountAssignmentCreationRequestId=status["RequestId"]
        )["AccountAssignmentCreationStatus"]
    if status["Status"] != "SUCCEEDED":
        sys.exit(f"{status['Status']}: {status.get('FailureReason', '')}")


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
