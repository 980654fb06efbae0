"""From parsed records to the desired state: names become principals and policies, wishes become standings. Pure.

The desired state also says what must not be removed although nobody can be understood to want it (docs/safety.md: not
understood is not withdrawn).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, tzinfo
from functools import partial

from accounts.names import fold
from syncer.cases import Judge, Ruling
from syncer.desired import Before, Desired, Standing, State, WishedSet
from syncer.directory import KINTONE_USER, Directory, LinkKey, NewLink, find_alike, find_match
from syncer.guarding import Context, Guard, Guards, find_unmatched
from syncer.judging import Court, find_problem, iter_names
from syncer.sets.definitions import build_definition
from syncer.states import (
    AssignmentKey,
    AssignmentWish,
    Definition,
    Ownership,
    PrincipalType,
    Problem,
    ReadRecord,
    Reason,
    Scope,
    SetWish,
)


@dataclass
class _Draft:
    """Desired state while it is being worked out."""

    directory: Directory
    problems: list[Problem] = field(default_factory=list)
    links: dict[LinkKey, NewLink] = field(default_factory=dict)
    sets: dict[str, WishedSet] = field(default_factory=dict)
    set_states: dict[str, Reason] = field(default_factory=dict)
    kept_sets: set[str] = field(default_factory=set)
    standings: list[Standing] = field(default_factory=list)
    kept: set[AssignmentKey] = field(default_factory=set)
    ended: dict[AssignmentKey, set[str]] = field(default_factory=lambda: defaultdict(set))  # → records
    over: set[AssignmentKey] = field(default_factory=set)
    sheltered: list[Scope] = field(default_factory=list)
    valid: set[str] = field(default_factory=set)
    found: dict[tuple[str, str], str] = field(default_factory=dict)  # source and name as written → principal id
    rulings: Mapping[str, Ruling] = field(default_factory=dict)  # of records that had something to judge
    ending: Mapping[AssignmentKey, Reason] = field(default_factory=dict)
    emergency: frozenset[AssignmentKey] = frozenset()

    def problem(self, code: str, record: ReadRecord, field_name: str = "", **params: object) -> None:
        severity = str(params.pop("severity", "error"))
        self.problems.append(Problem(code, severity, str(record.reference), field_name, None, params))


def build_desired(
    sets: Collection[ReadRecord],
    assignments: Collection[ReadRecord],
    directory: Directory,
    *,
    before: Mapping[str, Collection[Before]],
    today: date,
    zone: tzinfo,
    public_url: str,
    judge: Judge | None = None,
) -> Desired:
    """Work out what should be.

    `before` holds for each record (APP:ID), live or gone, what it wanted when it was last understood; `today` is the
    company's date, `zone` its time zone. Without a judge every revision counts as it is written.
    """
    draft = _Draft(directory)
    for record in [*sets, *assignments]:
        draft.problems.extend(record.problems)
    if judge:
        draft.rulings = Court(judge, directory, partial(_look_up, draft)).rule()
        sets, assignments = _overrule(draft, sets), _overrule(draft, assignments)
    _add_sets(draft, sets, public_url)
    for record in assignments:
        _add_assignment(draft, record, before.get(str(record.reference), ()), today, zone)
    _note_missing_set_records(draft, assignments)
    if judge and judge.rules:
        _guard(draft, judge, assignments, before, today, zone)
    wanted_before = _by_key(before)
    return Desired(
        sets=draft.sets,
        set_states=draft.set_states,
        kept_sets=frozenset(draft.kept_sets),
        may_delete_sets=not any(_hides_its_name(record) for record in sets),
        standings=tuple(_merge(draft.standings)),
        kept=frozenset(draft.kept),
        # The longest wish decides: what another record wanted too has not ended with this one's last day.
        ended=frozenset(key for key, by in draft.ended.items() if wanted_before.get(key, frozenset()) <= by),
        before=wanted_before,
        over=frozenset(draft.over),
        sheltered=tuple(dict.fromkeys(draft.sheltered)),
        problems=tuple(draft.problems),
        links=tuple(draft.links.values()),
        # What could not be judged for certain is judged again.
        valid=frozenset(draft.valid - {name for name, ruling in draft.rulings.items() if not ruling.is_certain}),
        rulings=draft.rulings,
        ending=draft.ending,
        emergency=draft.emergency,
        revisions={str(record.reference): record.reference.revision for record in [*sets, *assignments]},
    )


def _overrule(draft: _Draft, records: Collection[ReadRecord]) -> list[ReadRecord]:
    """The records with what is in force of them in the place of what is written; what is withheld is a problem."""
    overruled = []
    for record in records:
        ruling = draft.rulings.get(str(record.reference))
        if ruling and (problem := find_problem(str(record.reference), ruling)):
            draft.problems.append(problem)
        judged = ruling and ruling.is_understood and record.wish is not None
        overruled.append(replace(record, wish=ruling.wish) if ruling and judged else record)
    return overruled


def _by_key(before: Mapping[str, Collection[Before]]) -> Mapping[AssignmentKey, frozenset[str]]:
    found: dict[AssignmentKey, set[str]] = defaultdict(set)
    for record, wanted in before.items():
        for item in wanted:
            found[item.key].add(record)
    return {key: frozenset(records) for key, records in found.items()}


# --- Permission sets -------------------------------------------------------------------------------------------------


def _hides_its_name(record: ReadRecord) -> bool:
    """A record older than the portal that was never understood, its name neither, may be the record of any set."""
    return not record.permission_set and not record.was_valid and record.at_first_run


def _add_sets(draft: _Draft, records: Collection[ReadRecord], public_url: str) -> None:
    named: dict[str, str] = {}
    renamed: list[ReadRecord] = []
    nameless: list[ReadRecord] = []
    for record in sorted(records, key=_rank):
        for name in filter(None, (record.permission_set, record.in_force_name)):
            draft.kept_sets.add(name)
        if not record.permission_set:
            nameless.append(record)
            continue
        if record.in_force_name and record.in_force_name != record.permission_set:
            renamed.append(record)
            continue
        if other := named.get(record.permission_set):
            draft.problem("set_named_twice", record, "name", name=record.permission_set, other=other)
            continue
        named[record.permission_set] = str(record.reference)
        _add_set(draft, record, public_url)
    for record in renamed:
        _refuse_rename(draft, record, named)
    for record in nameless:
        if record.in_force_name and record.in_force_name not in named:
            draft.set_states.setdefault(record.in_force_name, Reason("set_broken", {"set": record.in_force_name}))


def _rank(record: ReadRecord) -> tuple[bool, int]:
    """Of several records with one name the one counts under which it is in force, else the oldest."""
    return not record.in_force_name, int(record.reference.record_id)


def _refuse_rename(draft: _Draft, record: ReadRecord, named: Collection[str]) -> None:
    """AWS cannot rename a set: neither the old one goes nor a new one comes. A record that bears a name keeps it."""
    names = {"old": record.in_force_name, "new": record.permission_set}
    draft.problem("set_renamed", record, "name", **names)
    for name in names.values():
        if name not in named:
            draft.set_states.setdefault(name, Reason("set_renamed", names))


def _add_set(draft: _Draft, record: ReadRecord, public_url: str) -> None:
    name, actual = record.permission_set, draft.directory.sets.get(record.permission_set)
    if actual and actual.ownership is Ownership.TERRAFORM:
        draft.set_states[name] = Reason("managed_in_terraform", {"set": name})
        draft.problem("managed_in_terraform", record, "name", severity="warning", set=name)
    elif actual and actual.ownership is Ownership.NOT_OURS:
        draft.set_states[name] = Reason("set_not_adopted", {"set": name})
        draft.problem("set_not_adopted", record, "name", set=name)
    wish = record.wish
    definition = _define(draft, record, wish, public_url) if isinstance(wish, SetWish) else None
    if definition is None or not isinstance(wish, SetWish):
        if reason := _find_withholding(draft, record):
            draft.set_states.setdefault(name, reason)
        draft.set_states.setdefault(name, Reason("set_broken", {"set": name}))
        return
    draft.valid.add(str(record.reference))
    if name not in draft.set_states:
        draft.sets[name] = WishedSet(name, str(record.reference), definition, wish.absent)


def _define(draft: _Draft, record: ReadRecord, wish: SetWish, public_url: str) -> Definition | None:
    definition, problems = build_definition(draft.directory, record, wish, public_url)
    draft.problems.extend(problems)
    return definition


def _find_withholding(draft: _Draft, record: ReadRecord) -> Reason | None:
    """Why nothing at all of a record is in force, where it could be understood."""
    ruling = draft.rulings.get(str(record.reference))
    return next(iter(ruling.withheld.values()), None) if ruling and ruling.is_understood else None


# --- Assignments -----------------------------------------------------------------------------------------------------


def _add_assignment(draft: _Draft, record: ReadRecord, before: Collection[Before], today: date, zone: tzinfo) -> None:
    wish = record.wish
    if not isinstance(wish, AssignmentWish) or not _place_exists(draft, record, wish):
        _keep(draft, record, before, today)
        return
    if wish.expires_on and wish.expires_on < today:
        _end(draft, record, wish, before, today, zone)
        return
    standings, unknown = _stand(draft, record, wish, {item.key for item in before if item.is_current})
    draft.standings.extend(standings)
    _add_withheld(draft, record)
    doubtful = _find_doubtful(wish, before, standings, _find_strange(record, standings))
    _keep_unresolved(draft, record, wish, doubtful, unknown, today)


def _add_withheld(draft: _Draft, record: ReadRecord) -> None:
    """What is written and not in force, shown with the reason; it neither brings nor keeps access."""
    reference = str(record.reference)
    ruling = draft.rulings.get(reference)
    if ruling is None or not isinstance(ruling.written, AssignmentWish):
        return
    written, obstacle = ruling.written, _find_obstacle(draft, ruling.written)
    for name, reason in ruling.refused:
        draft.standings.append(
            Standing(
                written.account_id, written.permission_set, _type_of(name.source), name.principal_id, name.written,
                State.WITHHELD, obstacle or reason, {reference: written.expires_on},
            )
        )  # fmt: skip


def _find_obstacle(draft: _Draft, wish: AssignmentWish) -> Reason | None:
    """What stands in the way of the place whoever writes, if the place is known."""
    obstacle = _obstacle(draft, wish) if wish.account_id in draft.directory.accounts else None
    return obstacle[1] if obstacle else None


def _place_exists(draft: _Draft, record: ReadRecord, wish: AssignmentWish) -> bool:
    """Account and set can be found; if not, the problem is noted."""
    known = True
    if wish.account_id not in draft.directory.accounts:
        draft.problem("account_unknown", record, "account_id", account=wish.account_id)
        known = False
    name = wish.permission_set
    if name not in draft.sets and name not in draft.set_states and name not in draft.directory.sets:
        draft.problem("set_unknown", record, "permission_set", set=name)
        known = False
    return known


def _keep(draft: _Draft, record: ReadRecord, before: Collection[Before], today: date) -> None:
    """Not understood is not withdrawn: what the record last wanted stays, but a date ends it all the same."""
    _keep_until_it_ends(draft, record, before, today)
    if record.at_first_run and not record.was_valid:
        draft.sheltered.append(_shelter(draft, record))


def _keep_until_it_ends(draft: _Draft, record: ReadRecord, before: Iterable[Before], today: date) -> None:
    for item in before:
        if item.expires_on and item.expires_on < today:
            draft.ended[item.key].add(str(record.reference))
        elif item.is_current:
            draft.kept.add(item.key)


def _shelter(draft: _Draft, record: ReadRecord) -> Scope:
    account = record.account_id if record.account_id in draft.directory.accounts else None
    name = record.permission_set
    known = name in draft.sets or name in draft.set_states or name in draft.directory.sets
    return Scope(account, name if known else None)


def _find_strange(record: ReadRecord, standings: Iterable[Standing]) -> frozenset[PrincipalType]:
    """The types of principal of which a name came that cannot be resolved and was not in force before.

    It may be somebody who was in force under another name. One that stood there all along is nobody else.
    """
    return frozenset(
        standing.principal_type
        for standing in standings
        if not standing.principal_id and fold(standing.written_as) not in record.in_force_principals
    )


def _find_doubtful(
    wish: AssignmentWish,
    before: Collection[Before],
    standings: Collection[Standing],
    strange: frozenset[PrincipalType],
) -> list[Before]:
    """Whom a name that cannot be resolved may mean: who stood in that field, for the same place, and does not now."""
    if not strange or not before:
        return []
    place = (wish.account_id, wish.permission_set)
    named = {standing.key for standing in standings}
    return [
        item
        for item in before
        if item.is_current and item.key.principal_type in strange and item.key not in named and item.key[:2] == place
    ]


def _keep_unresolved(
    draft: _Draft,
    record: ReadRecord,
    wish: AssignmentWish,
    doubtful: Collection[Before],
    unknown: frozenset[PrincipalType],
    today: date,
) -> None:
    """They stay until the name is mended, and so long this revision is not the one in force: the mirror forgets nobody.

    Names of the first run may mean whom no record ever wanted here. That holds after it too, because the rest of
    such a record is in force from then on.
    """
    _keep_until_it_ends(draft, record, doubtful, today)
    if not doubtful:
        draft.valid.add(str(record.reference))
    if unknown and record.at_first_run:
        draft.sheltered.append(Scope(wish.account_id, wish.permission_set))


def _end(
    draft: _Draft, record: ReadRecord, wish: AssignmentWish, before: Collection[Before], today: date, zone: tzinfo
) -> None:
    """The last day has passed. It passed by itself when the record was last written on or before that day.

    Where a later revision moved it into the past, only what had an earlier day of its own has ended by itself. The
    same goes for what the record wanted before and does not name any more.
    """
    reference = str(record.reference)
    draft.valid.add(reference)
    ended = {item.key for item in before if item.expires_on and item.expires_on < today}
    named = _find_keys(draft, wish)
    draft.over |= named
    if record.updated_at and wish.expires_on and record.updated_at.astimezone(zone).date() <= wish.expires_on:
        ended |= named
    for key in ended:
        draft.ended[key].add(reference)


def _find_keys(draft: _Draft, wish: AssignmentWish) -> set[AssignmentKey]:
    """The assignments that the names of a wish can be resolved to."""
    found = ((_type_of(source), _look_up(draft, source, written)) for source, written in iter_names(wish))
    return {
        AssignmentKey(wish.account_id, wish.permission_set, kind, principal_id)
        for kind, principal_id in found
        if principal_id
    }


def _stand(
    draft: _Draft, record: ReadRecord, wish: AssignmentWish, had: Collection[AssignmentKey]
) -> tuple[list[Standing], frozenset[PrincipalType]]:
    """The standings of a record, and the types of principal of which a name could not be resolved.

    `had`: what this record has given already.
    """
    place, wanted_by = _obstacle(draft, wish), {str(record.reference): wish.expires_on}
    standings: list[Standing] = []
    unknown: set[PrincipalType] = set()
    for source, written in iter_names(wish):
        kind, name = _type_of(source), LinkKey(source, written)
        principal_id = _look_up(draft, source, written)
        state, reason = _standing_of(draft.directory, name, principal_id)
        if alike := find_alike(draft.directory, _key_of(name)):
            unclear = _note_alike(draft, record, written, alike)
            if AssignmentKey(wish.account_id, wish.permission_set, kind, principal_id) not in had:
                principal_id, state, reason = "", State.BLOCKED, unclear
        elif not principal_id:
            _note_unknown(draft, record, source, written)
        if not principal_id:
            unknown.add(kind)
        if reason or draft.directory.renamed:
            _note_change(draft, record, name, reason)
        state, reason = place or (state, reason)
        standings.append(
            Standing(
                wish.account_id, wish.permission_set, kind, principal_id, written, state, reason, wanted_by
            )
        )  # fmt: skip
    return standings, frozenset(unknown)


def _note_alike(draft: _Draft, record: ReadRecord, written: str, alike: Collection[str]) -> Reason:
    """Two kintone users are one name here: whoever has access by it keeps it, and nobody new gets any."""
    params = {"name": written, "codes": ", ".join(alike)}
    draft.problem("codes_alike", record, _FIELD_OF[KINTONE_USER], **params)
    return Reason("codes_alike", params)


def _type_of(source: str) -> PrincipalType:
    return PrincipalType.GROUP if source == "group_name" else PrincipalType.USER


_FIELD_OF = {"kintone_user": "users", "address": "more_users", "group_name": "groups"}


def _note_unknown(draft: _Draft, record: ReadRecord, source: str, written: str) -> None:
    if _type_of(source) in draft.directory.unread:
        return  # nothing is known of the name, and the run says so
    code = "group_unknown" if source == "group_name" else "person_unknown"
    draft.problem(code, record, _FIELD_OF[source], severity="warning", name=written)


def _note_change(draft: _Draft, record: ReadRecord, written: LinkKey, reason: Reason | None) -> None:
    """What has become of a person or group that the record names: its owners should know, access has its own way."""
    is_group, field_name = written.source == "group_name", _FIELD_OF[written.source]
    why = reason.code if reason else ""
    if reason and why == "may_be_namesake":
        draft.problem("may_be_namesake", record, field_name, **reason.params)
        draft.kept |= _find_namesakes_key(draft, record, written)
    elif why in ("principal_gone", "principal_disabled"):
        code = "group_left" if is_group else "person_left"
        draft.problem(code, record, field_name, severity="warning", name=written.key)
    elif not why and (name := draft.directory.renamed.get(_key_of(written))):
        renamed = "group_renamed" if is_group else "person_renamed"
        draft.problem(renamed, record, field_name, severity="warning", name=written.key, new=name)


def _find_namesakes_key(draft: _Draft, record: ReadRecord, written: LinkKey) -> set[AssignmentKey]:
    """What the one who may be meant has already: it stays until somebody has said who is meant."""
    kind, wish = _type_of(written.source), record.wish
    if not isinstance(wish, AssignmentWish):
        return set()
    return {AssignmentKey(wish.account_id, wish.permission_set, kind, draft.directory.namesakes[_key_of(written)])}


def _key_of(written: LinkKey) -> LinkKey:
    return LinkKey(written.source, fold(written.key))


def _obstacle(draft: _Draft, wish: AssignmentWish) -> tuple[State, Reason] | None:
    """What stands in the way of everything the record wants."""
    directory, name = draft.directory, wish.permission_set
    account = directory.accounts[wish.account_id]
    if wish.account_id == directory.management_account_id:
        return State.BLOCKED, Reason("management_account", {"account": account.name})
    actual = directory.sets.get(name)
    if actual and actual.ownership is Ownership.TERRAFORM:
        return State.BLOCKED, Reason("managed_in_terraform", {"set": name})
    if not account.is_active:
        return State.BLOCKED, Reason("account_not_active", {"account": account.name, "state": account.state})
    if name in draft.set_states:
        return State.BLOCKED, draft.set_states[name]
    if actual and actual.ownership is Ownership.NOT_OURS:
        return State.BLOCKED, Reason("set_not_adopted", {"set": name})
    if name not in draft.sets:
        return State.KEPT, Reason("set_without_record", {"set": name})  # the records that name it are not known yet
    return None


def _standing_of(directory: Directory, written: LinkKey, principal_id: str) -> tuple[State, Reason | None]:
    """What stands in the way of one name of a record."""
    name = written.key
    if not principal_id:
        return State.WAITING, _why_absent(directory, written)
    if directory.namesakes and (candidate := directory.namesakes.get(_key_of(written))):
        comes = directory.principals.get(candidate)
        params = {"name": name, "candidate": (comes.display_name or comes.name) if comes else candidate}
        return State.BLOCKED, Reason("may_be_namesake", params)
    principal = directory.principals.get(principal_id)
    if principal is None:
        return State.WAITING, Reason("principal_gone", {"name": name})
    if not principal.is_enabled:
        return State.WAITING, Reason("principal_disabled", {"name": principal.display_name or name})
    return State.WANTED, None


LONG_WAIT = 2  # hours; Entra ID brings a name within 40 minutes as a rule


def _why_absent(directory: Directory, written: LinkKey) -> Reason:
    kind = _type_of(written.source)
    if kind in directory.unread:
        return Reason("name_unread", {"name": written.key})
    hours = directory.waiting_hours.get((kind, fold(written.key)), 0)
    if hours < LONG_WAIT:
        return Reason("not_provisioned", {"name": written.key})
    code = "group_not_provisioned_long" if kind is PrincipalType.GROUP else "not_provisioned_long"
    return Reason(code, {"name": written.key, "hours": hours})


def _look_up(draft: _Draft, source: str, written: str) -> str:
    """The principal id of a name as written, empty when it is not known. A name stands in many records."""
    found = draft.found.get((source, written))
    if found is None:
        found = draft.found[source, written] = _resolve(draft, LinkKey(source, fold(written)))
    return found


def _resolve(draft: _Draft, key: LinkKey) -> str:
    """The principal id a name stands for: the kept link, else the one exact match, which is then kept."""
    if linked := draft.directory.links.get(key):
        return linked
    if key in draft.links:
        return draft.links[key].principal_id
    found = find_match(draft.directory, key)
    if found is None:
        return ""
    principal, how = found
    draft.links[key] = NewLink(key, principal.principal_id, how)
    return principal.principal_id


def _note_missing_set_records(draft: _Draft, assignments: Iterable[ReadRecord]) -> None:
    """A set whose record is gone stays while valid records name it; one problem lists them."""
    draft.kept_sets.update(record.permission_set for record in assignments if record.permission_set)
    draft.kept_sets.update(key.permission_set for key in draft.kept)
    naming: dict[str, set[str]] = defaultdict(set)
    for standing in draft.standings:
        if standing.state is State.KEPT:
            naming[standing.permission_set].update(standing.records)
    reasons = {
        name: Reason("set_record_gone", {"set": name, "records": ", ".join(sorted(records))})
        for name, records in sorted(naming.items())
    }
    if not reasons:
        return
    draft.problems.extend(Problem(reason.code, params=reason.params) for reason in reasons.values())
    draft.standings = [
        replace(standing, reason=reasons[standing.permission_set]) if standing.state is State.KEPT else standing
        for standing in draft.standings
    ]


def _guard(
    draft: _Draft,
    judge: Judge,
    records: Collection[ReadRecord],
    before: Mapping[str, Collection[Before]],
    today: date,
    zone: tzinfo,
) -> None:
    """Let the guardrails decide about everything that is wanted so far."""
    guards = Guards(judge.rules, judge.register, judge.tags, judge.there, judge.first_looks, judge.former)
    by = {str(record.reference): record.by for record in records}
    by |= {reference: ruling.by for reference, ruling in draft.rulings.items() if ruling.is_understood}
    context = Context(draft.directory, draft.sets, records, before, by, today, zone)
    guard = Guard(guards, context)
    guarded = guard.guard(draft.standings)
    draft.standings, draft.ending, draft.emergency = guarded.standings, guarded.ending, guarded.emergency
    for key, references in guarded.ended.items():
        draft.ended[key] |= references
    draft.problems.extend(guarded.problems)
    names = {*draft.sets, *draft.set_states, *draft.directory.sets}
    draft.problems.extend(find_unmatched(guard, draft.directory, names))


def _merge(standings: Iterable[Standing]) -> Iterator[Standing]:
    """One standing for each assignment, however many records want it. What one may withhold another may bring."""
    merged: dict[tuple[str, str, PrincipalType, str], Standing] = {}
    for standing in standings:
        known = merged.setdefault(standing.identity, standing)
        if known is not standing and (known.state is State.WITHHELD) != (standing.state is State.WITHHELD):
            merged[known.identity] = standing if known.state is State.WITHHELD else known
        elif known is not standing:
            merged[known.identity] = replace(known, wanted_by={**known.wanted_by, **standing.wanted_by})
    yield from merged.values()
