"""What is true and what is allowed, as rows: people, accounts, permission sets, assignments, records, audit."""

from accounts.models.access import Assignment, AwsPolicy, PermissionSet, Wish
from accounts.models.audit import AuditEvent
from accounts.models.cli import AccountCliDefaults, CliPreference
from accounts.models.console import ConsoleService, FavouriteRegion
from accounts.models.guardrails import Guardrail
from accounts.models.moves import AccountMove
from accounts.models.organization import Account, Instance, OrganizationalUnit, Stage, StageRule
from accounts.models.owners import OwnerEntry
from accounts.models.people import Group, GroupMembership, Person, Principal, PrincipalLink, User
from accounts.models.policies import PolicyOpinion, PolicyText
from accounts.models.records import AppKind, Draft, PortalWrite, Problem, Record, RecordPerson, Withheld
from accounts.models.shortcuts import Shortcut, ShortcutSettings, ShortcutSlug, Visit
from accounts.models.stops import Stop
from accounts.models.tokens import AccessToken

__all__ = [
    "AccessToken",
    "Account",
    "AccountCliDefaults",
    "AccountMove",
    "AppKind",
    "Assignment",
    "AuditEvent",
    "AwsPolicy",
    "CliPreference",
    "ConsoleService",
    "Draft",
    "FavouriteRegion",
    "Group",
    "GroupMembership",
    "Guardrail",
    "Instance",
    "OrganizationalUnit",
    "OwnerEntry",
    "PermissionSet",
    "Person",
    "PolicyOpinion",
    "PolicyText",
    "PortalWrite",
    "Principal",
    "PrincipalLink",
    "Problem",
    "Record",
    "RecordPerson",
    "Shortcut",
    "ShortcutSettings",
    "ShortcutSlug",
    "Stage",
    "StageRule",
    "Stop",
    "User",
    "Visit",
    "Wish",
    "Withheld",
]
