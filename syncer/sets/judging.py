"""What is in force of the records of permission sets. Pure.

Whoever may edit a set's record may narrow the set. What lets it do more, and a new record that takes the name of a set
that people have, needs somebody who answers for every account that the set is assigned in (`widening`).
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import cached_property
from typing import NamedTuple

from accounts.judgement import JudgedOwners, Writing, field_values, is_of_owner, judge_fields, judge_owners
from syncer.cases import Bench, Case, Gone, Ruling, Signature, is_same
from syncer.sets.widening import (
    NOBODY_STRANGE,
    POLICY_FIELDS,
    Change,
    Strange,
    Words,
    explain_defining,
    explain_taking,
    explain_widening,
    find_strange,
    is_refused,
    read_policies,
)
from syncer.states import Definition, Ownership, Reason, SetWish, show_value


class SetCourt:
    """Judges records of permission sets. assigned: set → accounts that this very run's records assign it in."""

    def __init__(self, bench: Bench, assigned: Mapping[str, Collection[str]]) -> None:
        self.bench, self.judge, self.directory, self.assigned = bench, bench.judge, bench.directory, assigned

    def rule_on(self, case: Case, wish: SetWish) -> Ruling:
        """Who may edit the record of a set may narrow it; letting it do more takes all the accounts that have it."""
        before = case.in_force if isinstance(case.in_force, SetWish) else None
        may = self.bench.may_edit(case)
        code = case.writer.code
        writing = Writing(may_edit=may, code=code, withheld=frozenset(case.withheld), confirmed=case.confirmed)
        owners = _judge_owners(case, writing)
        kept = judge_fields(_read_fields(wish), _read_fields(before) if before else {}, writing)
        not_let = self._explain_editing(case)
        refusal = self._find_refusal(case, wish, before, kept) or _Refusal({}, not_let)
        is_certain = case.is_certain and refusal.is_certain
        reasons = {
            **dict.fromkeys((*kept.values(), *owners.withheld), not_let),
            **dict.fromkeys(refusal.fields.values(), refusal.reason),
        }
        return Ruling(
            wish=_hold_back(wish, before, {**kept, **refusal.fields}),
            owners=owners.owners,
            withheld={
                value: case.withheld.get(value, why) for value, why in reasons.items()
                if value in case.withheld or is_certain
            },
            spent=_find_spent(case, wish) | owners.spent,
            is_certain=is_certain,
            writer=case.writer.name or case.writer.code,
        )  # fmt: skip

    def _explain_editing(self, case: Case) -> Reason:
        name = case.writer.name or case.writer.code
        return Reason(
            "writer_may_not_edit" if self.bench.find_person(case.writer) else "writer_unknown", {"name": name}
        )

    def _find_refusal(
        self, case: Case, wish: SetWish, before: SetWish | None, kept: Collection[str]
    ) -> "_Refusal | None":
        """What of the revision would let the set do more than its writer, or whoever confirmed it, may answer for."""
        name = before.name if before else wish.name
        if before is None:
            return self._find_taking(case, wish)
        strange = self._find_strange(case.writer, name)
        let = self._find_let(case, wish, name)
        there = self._find_definition(name)
        now = replace(wish, **{item: getattr(before, item) for item in kept})
        base = replace(before, **{item: getattr(now, item) for item in let})
        if not is_refused(self._compare(base, now, there), strange):
            return None
        texts, old = _read_fields(now), _read_fields(base)
        changed = {item for item in POLICY_FIELDS if texts[item] != old[item]} | (before.absent ^ wish.absent)
        held = {item: value for value, item in field_values(_read_fields(wish)).items() if item in changed}
        return _Refusal(held, explain_widening(self._word(case, name, strange)), strange.are_known)

    def _find_let(self, case: Case, wish: SetWish, name: str) -> frozenset[str]:
        """The fields that somebody confirmed who may answer for all accounts, also for those of today."""
        values = field_values(_read_fields(wish))
        confirmed = (value for value in case.confirmed if value in values)
        return frozenset(values[value] for value in confirmed if self._is_word_good(case, value, name))

    def _is_word_good(self, case: Case, value: str, name: str) -> bool:
        confirmer = case.confirmers.get(value)
        return confirmer is not None and not self._find_strange(confirmer, name)

    def _find_taking(self, case: Case, wish: SetWish) -> "_Refusal | None":
        """A new record takes a name that people have, or are to have. The baseline does not.

        That is the name of a set whose record is gone, or of one that nobody has defined and records want in accounts
        of others: whoever defines it gives them what he writes.
        """
        name, gone = wish.name, self.judge.gone.get(wish.name)
        there = self.directory.sets.get(name)
        is_theirs = there is not None and there.ownership not in (Ownership.OURS, Ownership.UNKNOWN)
        is_new = gone is None and there is None
        strange = self._find_strange(case.writer, name, with_this_run=not is_new)
        value = _name_taking(wish)
        is_baseline = case.at_first_run and gone is None
        if is_baseline or is_theirs or not strange:
            return None
        if value in case.confirmed and self._is_word_good(case, value, name):
            return None
        is_his = gone is not None and self._was_his(case.writer, gone)
        if gone and is_his and not is_refused(self._compare(gone.wish, wish, self._find_definition(name)), strange):
            return None
        explain = explain_defining if is_new else explain_taking
        return _Refusal({"name": value}, explain(self._word(case, name, strange)), strange.are_known)

    def _compare(self, before: SetWish, after: SetWish, there: Definition | None) -> Change:
        return Change(*(read_policies(wish, there, self.judge.texts) for wish in (before, after)))

    def _was_his(self, writer: Signature, gone: Gone) -> bool:
        person = self.bench.find_person(writer)
        named = {self.bench.find_person(Signature(code)) for code in gone.owners}
        return is_same(writer, gone.author) or (
            bool(person) and person in named | {self.bench.find_person(gone.author)}
        )

    def _find_definition(self, name: str) -> Definition | None:
        there = self.directory.sets.get(name)
        return there.definition if there else None

    def _find_strange(self, signature: Signature, name: str, *, with_this_run: bool = True) -> Strange:
        """The accounts of a set that somebody may not answer for.

        with_this_run: those too whose records come into force at the same time. A set is defined and then registered:
        who does the second after the first, between two looks, has seen what he registers.
        """
        if self.bench.is_admin(signature):
            return NOBODY_STRANGE
        assigned = self.assigned.get(name, ()) if with_this_run else ()
        places = {*self.judge.places.get(name, ()), *self._there.get(name, ()), *assigned}
        return find_strange(self.judge.register, self.bench.find_person(signature), places)

    @cached_property
    def _there(self) -> Mapping[str, Collection[str]]:
        """Set → accounts in which AWS has it assigned."""
        found: dict[str, set[str]] = defaultdict(set)
        for key in self.judge.there:
            found[key.permission_set].add(key.target_id)
        return found

    def _word(self, case: Case, name: str, strange: Strange) -> Words:
        accounts = self.directory.accounts
        named = [accounts[item].name if item in accounts else item for item in strange.accounts]
        people = [self.bench.render_people([person]) for person in strange.people]
        return Words(name, case.writer.name or case.writer.code, named, [person for person in people if person])


def _find_spent(case: Case, wish: SetWish) -> frozenset[str]:
    """Confirmations of contents that are no longer written."""
    return frozenset(value for value in case.confirmed - _name_contents(wish).keys() if not is_of_owner(value))


def _judge_owners(case: Case, writing: Writing) -> JudgedOwners:
    """Those of a new record are whom it names."""
    if case.in_force is None:
        return JudgedOwners(case.owners, frozenset(), frozenset())
    return judge_owners(case.owners, case.in_force_owners, writing)


class _Refusal(NamedTuple):
    """Fields of a set that are not in force → the names of their values, and why."""

    fields: Mapping[str, str]
    reason: Reason
    is_certain: bool = True


def _hold_back(wish: SetWish, before: SetWish | None, kept: Collection[str]) -> SetWish | None:
    """What is in force: the wish with the contents of before in these fields. Of a new record nothing, if any is held.

    What the app had no field for before stays as AWS has it.
    """
    if before is None:
        return None if kept else wish
    absent = wish.absent | (before.absent & frozenset(kept))
    return replace(wish, absent=absent, **{item: getattr(before, item) for item in kept})


def _name_contents(wish: SetWish) -> dict[str, str]:
    """The names of everything of a set's record that can be withheld → the field."""
    return {**field_values(_read_fields(wish)), _name_taking(wish): "name"}


def _name_taking(wish: SetWish) -> str:
    """The name of "this record is the set": who confirms it has seen these very contents."""
    (value,) = field_values({"name": "\n".join([wish.name, *_read_fields(wish).values()])})
    return value


def _read_fields(wish: SetWish) -> dict[str, str]:
    """The contents of a set's record as text, field by field; the order of policies counts for nothing."""
    return {
        "description": wish.description,
        "session_duration": show_value(wish.session_duration),
        "relay_state": wish.relay_state,
        "managed_policies": "\n".join(sorted(wish.managed_policies)),
        "customer_managed_policies": "\n".join(sorted(map(str, wish.customer_managed_policies))),
        "inline_policy": wish.inline_policy,
        "permissions_boundary": wish.permissions_boundary,
    }
