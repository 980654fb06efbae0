"""What is true and what is allowed, as rows: people, accounts, permission sets, assignments, records, audit."""

from accounts.models.access import Assignment, AwsPolicy, PermissionSet, Wish
from accounts.models.audit import AuditEvent
from accounts.models.organization import Account, Instance, OrganizationalUnit, Stage, StageRule
from accounts.models.people import Group, GroupMembership, Person, Principal, PrincipalLink, User
from accounts.models.records import AppKind, Draft, Problem, Record

__all__ = [
    "Account",
    "AppKind",
    "Assignment",
    "AuditEvent",
    "AwsPolicy",
    "Draft",
    "Group",
    "GroupMembership",
    "Instance",
    "OrganizationalUnit",
    "PermissionSet",
    "Person",
    "Principal",
    "PrincipalLink",
    "Problem",
    "Record",
    "Stage",
    "StageRule",
    "User",
    "Wish",
]
