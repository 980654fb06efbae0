"""The shapes of what the API answers. Ids of AWS accounts are text; times are ISO 8601 with a zone, days without."""

from datetime import date, datetime
from typing import TypeVar

from django.db.models import Model, QuerySet
from ninja import Field, Schema

MOST = 1000
Row = TypeVar("Row", bound=Model)


class Me(Schema):
    """Whom the token stands for."""

    name: str
    user_name: str = Field(description="UserName in Identity Center; empty where it does not know the person")
    email: str
    is_admin: bool
    is_auditor: bool
    scope: str = Field(description="of the token: cli, read or write")
    expires_at: datetime


class AccountOut(Schema):
    account_id: str
    name: str
    stage: str = Field(description="production, staging, sandbox … as the portal's stage rules have it")
    unit: str = Field(description="path of the organizational unit")
    is_active: bool
    is_management: bool


class PermissionSetOut(Schema):
    id: int
    name: str
    description: str
    state: str
    record: str = Field(description="APP:ID of its kintone record; empty where it has none")


class AssignmentOut(Schema):
    """One account × permission set × principal."""

    id: int
    account_id: str
    account_name: str
    stage: str
    permission_set: str
    principal_type: str = Field(description="USER or GROUP")
    principal: str = Field(description="UserName or group name in Identity Center, else as wished")
    principal_name: str
    state: str = Field(description="requested, applying, removing, granted, waiting, blocked, failed, drifted, …")
    can_be_entered: bool
    message: str = Field(description="what the state means, in the language of Accept-Language")
    remedy: str
    expires_on: date | None = Field(description="the last day")
    since: datetime
    records: list[str] = Field(description="APP:ID of each kintone record that wants it")


class AccessOut(AssignmentOut):
    console_url: str = Field(description="opens the console; empty where nobody can enter now")


class PersonOut(Schema):
    """Somebody who may enter an account now."""

    id: int
    name: str
    user_name: str
    ways: list["WayOut"]


class WayOut(Schema):
    permission_set: str
    through: str = Field(description="name of the group; empty: the person's own")
    expires_on: date | None


class RunOut(Schema):
    id: int
    kind: str
    status: str = Field(description="queued, running, done, held, failed or lost")
    is_over: bool
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    counts: dict[str, int]
    url: str


class AccountPage(Schema):
    items: list[AccountOut]
    next: int | None = Field(description="`after` of the next page; null on the last")


class PermissionSetPage(Schema):
    items: list[PermissionSetOut]
    next: int | None


class AssignmentPage(Schema):
    items: list[AssignmentOut]
    next: int | None


class PersonPage(Schema):
    items: list[PersonOut]
    next: int | None


class RunPage(Schema):
    items: list[RunOut]
    next: int | None


def cut_page(rows: QuerySet[Row], after: int, limit: int) -> tuple[list[Row], int | None]:
    """Rows behind the one with the key `after`, in the order of their keys, and the `after` of the next page."""
    found = list(rows.filter(pk__gt=after).order_by("pk")[: limit + 1])
    return found[:limit], found[limit - 1].pk if len(found) > limit else None
