"""The mirror of AWS: what was read becomes rows, rows become what a targeted run need not read again."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from accounts.models import (
    Account,
    Assignment,
    AwsPolicy,
    GroupMembership,
    Instance,
    OrganizationalUnit,
    PermissionSet,
    Person,
    Principal,
    PrincipalLink,
)
from accounts.models.searching import refold
from accounts.names import clean, fold
from accounts.organization import recompute_stages
from syncer.directory import NewLink
from syncer.mirror.moves import look_before, note_moves
from syncer.states import (
    Actual,
    ActualAccount,
    ActualInstance,
    ActualPolicy,
    ActualPrincipal,
    ActualSet,
    ActualUnit,
    AssignmentKey,
    Boundary,
    Definition,
    Ownership,
    PolicyReference,
    PrincipalType,
    Scope,
    render_duration,
)

_BATCH = 500


@transaction.atomic
def store_actual(actual: Actual, *, at: datetime) -> None:
    """Take over everything that was read; what was not read stays as it was last known."""
    if actual.focus:  # a targeted reading: the rest came from here
        _store_sets(actual, at)
        return
    _store_instance(actual, at)
    before = look_before(actual)
    if actual.units is not None:
        _store_units(actual.units)
    has_accounts = not _has_gap(actual, "organizations")
    if has_accounts:
        _store_accounts(actual, at)
    _store_tags(actual.tags, at)
    _store_principals(actual, at)
    if actual.memberships is not None:
        _store_memberships(actual.memberships)
    if has_accounts:
        note_moves(before, at=at)
    if actual.policies is not None:
        _store_policies(actual.policies, at)
    if not _has_gap(actual, "sso-admin:ListPermissionSets"):
        _store_sets(actual, at)


def _has_gap(actual: Actual, operation: str) -> bool:
    return any(item.operation.startswith(operation) and item.blocks == "all" for item in actual.unresolved)


def _store_instance(actual: Actual, at: datetime) -> None:
    instance, may = actual.instance, actual.figures.may_list_by_principal if actual.figures else None
    tried = {} if may is None else {"may_list_by_principal": may, "tried_at": at}
    Instance.objects.exclude(instance_arn=instance.instance_arn).delete()
    Instance.objects.update_or_create(
        instance_arn=instance.instance_arn,
        defaults={
            "identity_store_id": instance.identity_store_id,
            "region": instance.region,
            "management_account_id": instance.management_account_id,
            "read_at": at,
            **tried,
        },
    )


def _store_units(units: Collection[ActualUnit]) -> None:
    """The tree, parents before children; units that are gone go, their accounts get their new place."""
    by_id = {unit.ou_id: unit for unit in units}
    rows: dict[str, OrganizationalUnit] = {row.ou_id: row for row in OrganizationalUnit.objects.all()}

    def place(unit: ActualUnit) -> OrganizationalUnit:
        parent = by_id.get(unit.parent_id)
        parent_row = place(parent) if parent else None
        path = unit.name if parent_row is None or parent_row.parent_id is None else f"{parent_row.path}/{unit.name}"
        wanted = {"name": unit.name, "parent": parent_row, "path": "" if parent_row is None else path}
        row = rows.get(unit.ou_id)
        if row is None:
            row = rows[unit.ou_id] = OrganizationalUnit.objects.create(ou_id=unit.ou_id, **wanted)
        elif any(getattr(row, name) != value for name, value in wanted.items()):
            for name, value in wanted.items():
                setattr(row, name, value)
            row.save(update_fields=list(wanted))
        return row

    for unit in units:
        place(unit)
    OrganizationalUnit.objects.exclude(ou_id__in=by_id).delete()


def _store_accounts(actual: Actual, at: datetime) -> None:
    """An account whose unit is not known, because the units could not be read, stays where it was."""
    units = dict(OrganizationalUnit.objects.values_list("ou_id", "pk"))
    places = dict(Account.objects.values_list("account_id", "ou"))
    Account.objects.bulk_create(
        [
            Account(
                account_id=account.account_id,
                name=account.name,
                email=account.email,
                ou_id=units.get(account.ou_id) or places.get(account.account_id),
                state=account.state,
                is_management=account.account_id == actual.instance.management_account_id,
                gone_at=None,
            )
            for account in actual.accounts.values()
        ],
        update_conflicts=True,
        unique_fields=["account_id"],
        update_fields=["name", "email", "ou", "state", "is_management", "gone_at", "search_key"],
    )
    Account.objects.filter(gone_at__isnull=True).exclude(account_id__in=actual.accounts).update(gone_at=at)
    recompute_stages()


def _store_tags(tags: Mapping[str, Mapping[str, str]], at: datetime) -> None:
    """The tags of the accounts and units that were asked for theirs. The others keep what was last known."""
    key = settings.ACCOUNT_OWNERS_TAG
    accounts = [row for row in Account.objects.all() if row.account_id in tags]
    for account in accounts:
        account.tags = dict(tags[account.account_id])
        account.owners_tag, account.tags_read_at = clean(account.tags.get(key, ""), 256), at
    Account.objects.bulk_update(accounts, ["tags", "owners_tag", "tags_read_at"], _BATCH)
    units = [row for row in OrganizationalUnit.objects.all() if row.ou_id in tags]
    for unit in units:
        unit.owners_tag, unit.tags_read_at = clean(tags[unit.ou_id].get(key, ""), 256), at
    OrganizationalUnit.objects.bulk_update(units, ["owners_tag", "tags_read_at"], _BATCH)


def _store_principals(actual: Actual, at: datetime) -> None:
    known = {
        row.principal_id: row
        for row in Principal.objects.filter(principal_id__isnull=False).only(*_PRINCIPAL_FIELDS, "principal_id", "type")
    }
    rows = [_build_principal(principal) for principal in actual.principals.values()]
    last_seen = Instance.objects.values_list("principals_read_at", flat=True).first() or at
    for row in rows:
        row.first_seen = at  # of those who are new: the time of the reading, as it is that of `last_seen`
        row.disabled_at = _when_disabled(known.get(row.principal_id), row, last_seen)
    changed = [row for row in rows if _differs(known.get(row.principal_id), row)]
    _write_principals(changed)
    unread = {item.scope.whole_type for item in actual.unresolved}
    if not any(item.scope == Scope() and item.blocks == "all" for item in actual.unresolved):
        gone = [
            row.pk
            for row in known.values()
            if row.principal_id not in actual.principals and row.gone_at is None and row.type not in unread
        ]
        for start in range(0, len(gone), _BATCH):
            Principal.objects.filter(pk__in=gone[start : start + _BATCH]).update(gone_at=last_seen)
        if not unread - {None}:
            Instance.objects.update(principals_read_at=at)
    _store_unknown_principals(actual, known)
    _store_people()


def store_arrivals(principals: Collection[ActualPrincipal], *, at: datetime) -> None:
    """Take over users and groups that were asked for one by one."""
    ids = [principal.principal_id for principal in principals]
    known = {row.principal_id: row for row in Principal.objects.filter(principal_id__in=ids)}
    rows = [_build_principal(principal) for principal in principals]
    for row in rows:
        row.first_seen, row.disabled_at = at, _when_disabled(known.get(row.principal_id), row, at)
    _write_principals(rows)
    _store_people()


def _write_principals(rows: Collection[Principal]) -> None:
    Principal.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["principal_id"], update_fields=[*_PRINCIPAL_FIELDS, "search_key"]
    )


_PRINCIPAL_FIELDS = (
    "name", "name_key", "display_name", "email", "external_id", "external_issuer", "is_enabled", "disabled_at",
    "gone_at",
)  # fmt: skip


def _when_disabled(known: Principal | None, row: Principal, last_seen: datetime) -> datetime | None:
    """When somebody disabled was last seen enabled, as far as anybody looked."""
    if row.is_enabled:
        return None
    return known.disabled_at or last_seen if known else last_seen


def _differs(known: Principal | None, row: Principal) -> bool:
    return known is None or any(getattr(known, name) != getattr(row, name) for name in _PRINCIPAL_FIELDS)


def _build_principal(principal: ActualPrincipal) -> Principal:
    return Principal(
        type=principal.type,
        principal_id=principal.principal_id,
        name=clean(principal.name, 1024),
        name_key=clean(fold(principal.name), 1024),
        display_name=clean(principal.display_name, 1024),
        email=clean(principal.email, 320),
        external_id=clean(next(iter(principal.external_ids), ""), 256),
        external_issuer=clean(principal.external_issuer, 256),
        is_enabled=principal.is_enabled,
        gone_at=None,
    )


def _store_unknown_principals(actual: Actual, known: Mapping[str | None, Principal]) -> None:
    """Rows for ids that assignments carry and the identity store does not know: orphans."""
    unknown = {
        (key.principal_type, key.principal_id)
        for key in actual.assignments
        if key.principal_id not in actual.principals and key.principal_id not in known
    }
    Principal.objects.bulk_create(
        [Principal(type=kind, principal_id=principal_id, name_key="") for kind, principal_id in sorted(unknown)],
        ignore_conflicts=True,
    )


def _store_people() -> None:
    """Each user of the identity store is a person; his name and mail follow."""
    users = Principal.objects.filter(type=Principal.Type.USER).exclude(name="")
    missing = users.filter(person__isnull=True, gone_at__isnull=True)
    Person.objects.bulk_create(
        [Person(principal=user, name=user.display_name or user.name, email=user.email) for user in missing]
    )
    renamed = []
    for person in Person.objects.filter(principal__gone_at__isnull=True).select_related("principal"):
        user = person.principal
        if user and user.name and (person.name, person.email) != (user.display_name or user.name, user.email):
            person.name, person.email = user.display_name or user.name, user.email
            renamed.append(person)
    refold(renamed)
    Person.objects.bulk_update(renamed, ["name", "email", "search_key"], _BATCH)


def _store_memberships(memberships: Mapping[str, frozenset[str]]) -> None:
    rows = dict(Principal.objects.filter(principal_id__isnull=False).values_list("principal_id", "pk"))
    groups = {rows[group]: group for group in memberships if group in rows}
    wanted = {(pk, rows[member]) for pk, group in groups.items() for member in memberships[group] if member in rows}
    stored = GroupMembership.objects.filter(group__in=groups).values_list("group_id", "member_id", "pk")
    there = {(group, member): pk for group, member, pk in stored}
    ended = [pk for membership, pk in there.items() if membership not in wanted]
    for start in range(0, len(ended), _BATCH):
        GroupMembership.objects.filter(pk__in=ended[start : start + _BATCH]).delete()
    GroupMembership.objects.bulk_create(
        [GroupMembership(group_id=group, member_id=member) for group, member in sorted(wanted - there.keys())]
    )


def _store_policies(policies: Collection[ActualPolicy], at: datetime) -> None:
    AwsPolicy.objects.bulk_create(
        [
            AwsPolicy(arn=item.arn, name=item.name, is_attachable=item.is_attachable, version=item.version, read_at=at)
            for item in policies
        ],
        update_conflicts=True,
        unique_fields=["arn"],
        update_fields=["name", "is_attachable", "version", "read_at"],
    )
    AwsPolicy.objects.filter(read_at__lt=at).delete()


def _store_sets(actual: Actual, at: datetime) -> None:
    rows = {row.name: row for row in PermissionSet.objects.all()}
    # A set made anew under the same name has another ARN, and an ARN of a set that is gone may not stand in its way.
    arns = {there.arn for there in actual.sets.values()}
    unread = {item.scope.permission_set for item in actual.unresolved}
    gone = [
        row
        for row in rows.values()
        if row.arn and row.name not in actual.sets and row.arn not in arns and row.name not in unread
    ]
    if actual.focus is None:
        PermissionSet.objects.filter(pk__in=[row.pk for row in gone]).update(
            arn=None, ownership=PermissionSet.Ownership.ABSENT, actual=None
        )
    new: list[PermissionSet] = []
    changed: list[PermissionSet] = []
    for there in actual.sets.values():
        row = rows.get(there.name) or PermissionSet(name=there.name)
        wanted: dict[str, Any] = {"arn": there.arn, "ownership": there.ownership.value}
        if there.ownership is Ownership.UNKNOWN and row.arn == there.arn:
            del wanted["ownership"]  # tags that could not be read: whose it was last stays
        if there.definition is not None and (actual.sets_read is None or there.name in actual.sets_read):
            wanted |= {"actual": definition_as_json(there.definition), "read_at": at}
        wanted["captured_at"] = _find_capture(row, there, at)
        if any(getattr(row, name) != value for name, value in wanted.items()):
            for name, value in wanted.items():
                setattr(row, name, value)
            (changed if row.pk else new).append(row)
    PermissionSet.objects.bulk_create(new)
    PermissionSet.objects.bulk_update(changed, ["arn", "ownership", "actual", "read_at", "captured_at"], _BATCH)


def _find_capture(row: PermissionSet, there: ActualSet, at: datetime) -> datetime | None:
    """Since when one of our sets is provisioned in the management account, out of our reach."""
    if there.ownership in (Ownership.OURS, Ownership.NOT_OURS):
        return None
    was_ours = there.ownership is Ownership.TERRAFORM and (row.is_ours or row.proved_at is not None)
    return row.captured_at or (at if was_ours and _is_used_elsewhere(row) else None)


def _is_used_elsewhere(row: PermissionSet) -> bool:
    """A set that was made for the management account alone is where it belongs."""
    used = Assignment.objects.filter(Q(in_aws=True) | Q(is_wanted=True), permission_set=row)
    return used.filter(account__is_management=False).exists()


def store_applied_sets(definitions: Mapping[str, Definition], arns: Mapping[str, str], *, at: datetime) -> None:
    """What a run has made of its sets is known without reading it again. `arns` are those of the sets it created."""
    for name, definition in definitions.items():
        made = definition_as_json(definition)
        values: dict[str, Any] = {"actual": made, "read_at": at, "settled": made, "settled_at": at}
        if name in arns:
            values |= {"arn": arns[name], "ownership": PermissionSet.Ownership.OURS, "proved_at": at}
        PermissionSet.objects.filter(name=name).update(**values)


def definition_as_json(definition: Definition) -> dict[str, Any]:
    """As the pages show it: durations as AWS writes them, policies in order."""
    boundary = definition.permissions_boundary
    return {
        **asdict(definition),
        "session_duration": render_duration(definition.session_duration),
        "managed_policies": sorted(definition.managed_policies),
        "customer_managed_policies": sorted(str(item) for item in definition.customer_managed_policies),
        "permissions_boundary": str(boundary) if boundary else "",
    }


def definition_from_json(value: Mapping[str, Any]) -> Definition:
    """The inverse of `definition_as_json`."""
    hours, _, minutes = value["session_duration"].removeprefix("PT").rstrip("M").partition("H")
    if "H" not in value["session_duration"]:
        hours, minutes = "0", hours
    return Definition(
        description=value["description"],
        session_duration=timedelta(hours=int(hours or 0), minutes=int(minutes or 0)),
        relay_state=value["relay_state"],
        managed_policies=frozenset(value["managed_policies"]),
        customer_managed_policies=frozenset(_reference(text) for text in value["customer_managed_policies"]),
        inline_policy=value["inline_policy"],
        permissions_boundary=_boundary(value["permissions_boundary"]),
    )


def _reference(text: str) -> PolicyReference:
    path, slash, name = text.rpartition("/")
    return PolicyReference(path + slash, name)


def _boundary(text: str) -> Boundary | None:
    if not text:
        return None
    return Boundary(customer_managed=_reference(text)) if text.startswith("/") else Boundary(managed_policy=text)


# --- Rows → states ----------------------------------------------------------------------------------------------------


def load_instance() -> ActualInstance | None:
    row = Instance.objects.first()
    if row is None:
        return None
    return ActualInstance(row.instance_arn, row.identity_store_id, row.region, row.management_account_id)


def knows_own_account() -> bool:
    """Whether the account of the portal's credentials is known."""
    return Instance.objects.exclude(portal_account_id="").exists()


def store_own_account(account_id: str) -> None:
    Instance.objects.update(portal_account_id=account_id)


def load_accounts() -> dict[str, ActualAccount]:
    rows = Account.objects.filter(gone_at__isnull=True).values_list("account_id", "name", "email", "state", "ou__ou_id")
    return {row[0]: ActualAccount(row[0], row[1], row[2], row[3], row[4] or "") for row in rows}


def load_principals() -> dict[str, ActualPrincipal]:
    """Everybody whom Identity Center knew when it was last read."""
    rows = Principal.objects.filter(principal_id__isnull=False, gone_at__isnull=True).exclude(name="")
    return {
        row.principal_id: ActualPrincipal(
            PrincipalType(row.type), row.principal_id, row.name, row.display_name, row.email,
            (row.external_id,) if row.external_id else (), row.is_enabled, row.external_issuer,
        )
        for row in rows if row.principal_id
    }  # fmt: skip


def load_units() -> tuple[ActualUnit, ...]:
    rows = OrganizationalUnit.objects.values_list("ou_id", "name", "parent__ou_id")
    return tuple(ActualUnit(ou_id, name, parent_id or "") for ou_id, name, parent_id in rows)


def load_untagged() -> frozenset[str]:
    """The ids of accounts whose tags were never read."""
    rows = Account.objects.filter(gone_at__isnull=True, tags_read_at__isnull=True)
    return frozenset(rows.values_list("account_id", flat=True))


def load_may_list_by_principal(now: datetime) -> bool | None:
    """Whether AWS lets us list by principal; None where that was not tried in the last day."""
    row = Instance.objects.first()
    is_fresh = row is not None and row.tried_at is not None and now - row.tried_at < _TRIED_AGE
    return row.may_list_by_principal if row and is_fresh else None


_TRIED_AGE = timedelta(hours=24)


def load_unsure() -> tuple[frozenset[tuple[str, str]], frozenset[str]]:
    """Pairs of account and set, and sets, of which the last run could not tell how they are."""
    state, set_state = Assignment.State, PermissionSet.State
    pairs = Assignment.objects.filter(state__in=(state.UNRESOLVED, state.DRIFTED, state.APPLYING))
    sets = PermissionSet.objects.filter(
        arn__isnull=False, state__in=(set_state.UNRESOLVED, set_state.PENDING, set_state.FAILED)
    )
    return (
        frozenset(pairs.values_list("account__account_id", "permission_set__name")),
        frozenset(sets.values_list("name", flat=True)),
    )


def load_sets(names: Collection[str] | None = None) -> dict[str, ActualSet]:
    """What AWS had when it was last read: all sets, or those of these names."""
    rows = PermissionSet.objects.filter(arn__isnull=False).only("name", "arn", "ownership", "actual")
    if names is not None:
        rows = rows.filter(name__in=names)
    return {
        row.name: ActualSet(
            row.name, row.arn, Ownership(row.ownership), definition_from_json(row.actual) if row.actual else None
        )
        for row in rows if row.arn
    }  # fmt: skip


def load_assignments(
    accounts: Collection[str] | None = None, *, sets: Collection[str] | None = None
) -> frozenset[AssignmentKey]:
    """What AWS had when it was last read: all of it, or in these accounts, or with these sets."""
    there = Assignment.objects.filter(in_aws=True, principal__principal_id__isnull=False)
    if sets is not None:
        there = there.filter(permission_set__name__in=sets)
    if accounts is not None and len(accounts) < _BATCH:
        there = there.filter(account__account_id__in=accounts)
    rows = there.values_list(
        "account__account_id", "permission_set__name", "principal__type", "principal__principal_id"
    )
    return frozenset(AssignmentKey(row[0], row[1], PrincipalType(row[2]), row[3] or "") for row in rows)


def load_policies() -> tuple[ActualPolicy, ...] | None:
    """AWS's managed policies, None when they were never read."""
    rows = AwsPolicy.objects.values_list("arn", "name", "is_attachable", "version")
    return tuple(ActualPolicy(*row) for row in rows) or None


def find_policies_age() -> datetime | None:
    """When the policies were read last."""
    newest = AwsPolicy.objects.order_by("-read_at").values_list("read_at", flat=True)
    return newest.first()


def store_links(links: Iterable[NewLink]) -> None:
    """Keep first matches with who they are; a person's kintone code is known from then on."""
    links = list(links)
    known = Principal.objects.filter(principal_id__in={link.principal_id for link in links})
    rows = {row.principal_id: row for row in known.only("principal_id", "external_id")}
    PrincipalLink.objects.bulk_create(
        [
            PrincipalLink(
                source=link.key.source, key=link.key.key, principal=rows[link.principal_id], how=link.how,
                external_id=rows[link.principal_id].external_id,
            )
            for link in links
            if link.principal_id in rows and len(link.key.key) <= _LONGEST_KEY
        ],
        ignore_conflicts=True,
    )  # fmt: skip
    # Whose kintone user somebody is decides what he may: the mail in a profile does not say it.
    codes = {
        link.key.key: link.principal_id
        for link in links
        if link.key.source == _KINTONE_USER and link.how != PrincipalLink.How.KINTONE_MAIL
    }
    _store_codes({code: principal_id for code, principal_id in codes.items() if len(code) <= _LONGEST_CODE})


_LONGEST_KEY, _LONGEST_CODE = 320, 128  # columns; a longer name is looked up anew in each run
_KINTONE_USER = PrincipalLink.Source.KINTONE_USER


def _store_codes(codes: Mapping[str, str]) -> None:
    """Give people the kintone code (→ principal id) they were found by, where they have none yet."""
    taken = set(Person.objects.filter(kintone_code__in=codes).values_list("kintone_code", flat=True))
    nameless = Person.objects.filter(principal__principal_id__in=codes.values(), kintone_code="")
    people = {
        person.principal.principal_id: person for person in nameless.select_related("principal") if person.principal
    }
    changed = []
    for code, principal_id in codes.items():
        person = people.pop(principal_id, None) if code not in taken else None
        if person:
            person.kintone_code = code
            changed.append(person)
    refold(changed)
    Person.objects.bulk_update(changed, ["kintone_code", "search_key"], _BATCH)
