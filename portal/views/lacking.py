"""Accounts that were seen to lack a customer managed policy which a set names: AWS says so when it provisions there."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from django.db.models import Q

from accounts.models import Account, PermissionSet
from syncer.models import Operation


class Lack(NamedTuple):
    """One account, the policy that it lacks, and when AWS said so."""

    account: Account
    policy: str
    seen_at: datetime


def find_lacks(permission_set: PermissionSet, accounts: "Collection[Account]", policies: Collection[str]) -> list[Lack]:
    """The last word of AWS in each account: gone as soon as it carries out something there.

    What was never sent says nothing. policies: those that the set names now.
    """
    if not permission_set.arn or not policies:
        return []
    last = _load_last(permission_set.arn, [account.account_id for account in accounts])
    return [
        Lack(account, policy, at)
        for account in accounts
        if (row := last.get(account.account_id)) and (at := row.ended_at)
        if row.reason.get("code") == "aws_policy_missing"
        if (policy := str(row.reason["params"].get("policy", ""))) in policies
    ]


def _load_last(arn: str, account_ids: Collection[str]) -> dict[str, Operation]:
    """Account → the operation that ended last of those that need every policy of the set there."""
    lacking = Operation.objects.filter(permission_set_arn=arn, reason__code="aws_policy_missing")
    rows = (
        Operation.objects.filter(Q(kind=Operation.Kind.CREATION) | Q(kind=Operation.Kind.PROVISIONING))
        .filter(permission_set_arn=arn, ended_at__isnull=False, account_id__in=account_ids)
        .filter(account_id__in=lacking.values("account_id"))
        .exclude(request_id="")
        .order_by("ended_at", "pk")
    )
    return {row.account_id: row for row in rows}
