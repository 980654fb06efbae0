"""What a simulated AWS service refuses with."""

from typing import Any


class AwsError(Exception):
    """An error answer: AWS's code and message, the HTTP status, and further members of the error's shape."""

    def __init__(self, code: str, message: str, status: int = 400, **members: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status, self.members = code, message, status, members


def not_found(message: str, **members: Any) -> AwsError:
    return AwsError("ResourceNotFoundException", message, **members)


def conflict(message: str) -> AwsError:
    return AwsError("ConflictException", message)


def invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)


def quota_exceeded(message: str) -> AwsError:
    return AwsError("ServiceQuotaExceededException", message)
