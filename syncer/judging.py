"""What is in force of the records whose newest revision nobody has judged yet: who wrote it, and may he. Pure.

`accounts.judgement` decides about values; here are the people, the register of owners and the parsed records that it
needs, and what follows: what is in force, what is withheld and why, who claims an account.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from accounts.judgement import (
    REACHES_OTHERS,
    Judged,
    Name,
    PutBack,
    Values,
    Writing,
    judge_additions,
    judge_revision,
    render_values,
)
from syncer.cases import Bench, Case, Judge, LookUp, Refusal, Ruling
from syncer.directory import Directory
from syncer.sets.judging import SetCourt
from syncer.states import AssignmentKey, AssignmentWish, Ownership, PrincipalType, Problem, Reason, SetWish

MAY_WIDEN = ""


@dataclass(frozen=True)
class _Answer:
    """Whether a writer may widen access to an account: the code of why not, empty if he may."""

    code: str = MAY_WIDEN
    who: tuple[str, ...] = ()  # principal ids of those who may
    claims: bool = False

    @property
    def is_certain(self) -> bool:
        """Whether the answer holds for good: not while owners are unread, nor where it is not for us to carry out."""
        return self.code not in ("owners_unread", "managed_in_terraform", "being_written")


class Court:
    """Judges the cases of one run in the order in which they were written: who registers first claims."""

    def __init__(self, judge: Judge, directory: Directory, look_up: LookUp) -> None:
        self.judge, self.directory, self.look_up = judge, directory, look_up
        self._claimed: dict[str, str] = {}  # account id → principal id
        self._assigned: dict[str, set[str]] = defaultdict(set)  # set → accounts that these very cases assign it in
        self._bench = Bench(judge, directory, look_up)
        self._sets = SetCourt(self._bench, self._assigned)

    def rule(self) -> dict[str, Ruling]:
        """A ruling for each case, by APP:ID. Sets come last: what is assigned meanwhile counts."""
        cases = sorted(self.judge.cases.items(), key=_order)
        return {reference: ruling for reference, case in cases if (ruling := self._rule_on(case))}

    def _rule_on(self, case: Case) -> Ruling | None:
        if isinstance(case.wish, AssignmentWish):
            return self._rule_on_assignment(case, case.wish)
        if isinstance(case.wish, SetWish) and case.is_understood:
            return self._sets.rule_on(case, case.wish)
        return None

    # Assignments

    def _rule_on_assignment(self, case: Case, wish: AssignmentWish) -> Ruling | None:
        now = self._read_values(wish, case.owners)
        before = case.in_force if isinstance(case.in_force, AssignmentWish) else None
        force = self._read_values(before, case.in_force_owners) if before else None
        answer = self._ask(case, now, force)
        writing = self._describe(case, now, force, answer)
        if not case.is_understood:
            return self._rule_on_broken(case, now, force, writing, answer)
        judged = judge_revision(now, force, writing)
        claims = self._claim(now.account_id, writing, judged) if answer.claims else ""
        self._assigned[judged.in_force.permission_set].add(judged.in_force.account_id)
        return Ruling(
            wish=_as_wish(judged.in_force),
            written=wish,
            owners=judged.in_force.owners,
            by={**_keep(case.by, judged.in_force.names), **dict.fromkeys(judged.added, writing.principal_id)},
            withheld={value: self._explain(case, value, now, answer) for value in judged.withheld},
            refused=tuple(Refusal(name, self._why(case, name, now, judged, answer)) for name in judged.refused),
            spent=judged.spent,
            is_certain=writing.is_certain or not self._is_open(judged),
            writer=case.writer.name or case.writer.code,
            claims=claims,
        )

    def _rule_on_broken(
        self, case: Case, now: Values, force: Values | None, writing: Writing, answer: _Answer
    ) -> Ruling | None:
        """Nothing of it is in force, but what its writer may not add is withheld from whoever mends it."""
        if force is None or not writing.is_certain:
            return None
        withheld = judge_additions(now, force, writing)
        return Ruling(
            wish=None,
            withheld={value: self._explain(case, value, now, answer) for value in withheld},
            is_understood=False,
            writer=case.writer.name or case.writer.code,
        )

    @staticmethod
    def _is_open(judged: Judged) -> bool:
        """Something is neither in force nor withheld: whether it may be could not be found out."""
        held = {value[1:] for value in judged.withheld}
        return any(name.value not in held for name in judged.refused)

    def _read_values(self, wish: AssignmentWish, owners: tuple[str, ...] | None) -> Values:
        names = tuple(Name(source, written, self.look_up(source, written)) for source, written in iter_names(wish))
        return Values(wish.account_id, wish.permission_set, names, owners, wish.expires_on)

    def _describe(self, case: Case, now: Values, force: Values | None, answer: _Answer) -> Writing:
        return Writing(
            may_edit=self._bench.may_edit(case, force.account_id if force else ""),
            may_widen=answer.code == MAY_WIDEN,
            principal_id=self._bench.find_person(case.writer),
            code=case.writer.code,
            is_certain=answer.is_certain and not (force is None and self._is_unread(case, now)),
            withheld=frozenset(case.withheld),
            confirmed=case.confirmed,
            granted=self._find_granted(case, now) if force is None else frozenset(),
            keeps_access=case.keeps_access,
            put_back=self._find_put_back(case),
        )

    def _find_put_back(self, case: Case) -> PutBack | None:
        """What its writer may still put back: himself, and others while he may take them out."""
        undone = case.undone
        if undone is None:
            return None
        before = replace(case, author=undone.author, owners=undone.owners, in_force_owners=undone.owners)
        if self._bench.may_edit(before, undone.back.place[0]):
            return undone.back
        person = self._bench.find_person(case.writer)
        return replace(
            undone.back, names={name: who for name, who in undone.back.names.items() if who and who == person}
        )

    def _find_granted(self, case: Case, now: Values) -> frozenset[str]:
        """The baseline: who had the access when the portal came."""
        if not case.at_first_run:
            return frozenset()
        return frozenset(name.principal_id for name in now.names if _key(now, name) in self.judge.there)

    def _is_unread(self, case: Case, now: Values) -> bool:
        return case.at_first_run and any(
            scope.covers(_key(now, name)) for scope in self.judge.unread for name in now.names
        )

    def _ask(self, case: Case, now: Values, force: Values | None) -> _Answer:
        """Whether the writer may widen access to the account that the revision names."""
        register, account_id = self.judge.register, now.account_id
        if not case.is_certain:
            return _Answer("being_written")
        if account_id not in register.sites and force is not None:
            account_id = force.account_id  # a slip of the pen: the record waits to be mended
        if self._bench.is_admin(case.writer):
            return _Answer()
        person = self._bench.find_person(case.writer)
        there = self.directory.sets.get(now.permission_set)
        if there and there.ownership is Ownership.TERRAFORM and person not in register.find_owners(account_id).people:
            return _Answer("managed_in_terraform")
        if not person:
            return _Answer("writer_unknown", self._find_owners(account_id))
        if register.is_protected(account_id):
            return _Answer("account_protected")
        owners = register.find_owners(account_id)
        if person in owners.people or self._claimed.get(account_id) == person:
            return _Answer()
        if not owners.are_known:
            return _Answer("owners_unread")
        if self._is_claimable(account_id):
            return _Answer(claims=True)
        who = self._find_owners(account_id)
        code = "writer_may_not" if who else "account_without_owner" if owners.is_free else "owners_left"
        return _Answer(code, who)

    def _is_claimable(self, account_id: str) -> bool:
        account = self.directory.accounts.get(account_id)
        is_active = account is not None and account.is_active
        return is_active and account_id not in self._claimed and self.judge.register.is_claimable(account_id)

    def _find_owners(self, account_id: str) -> tuple[str, ...]:
        claimant = self._claimed.get(account_id)
        return (claimant,) if claimant else tuple(sorted(self.judge.register.find_owners(account_id).people))

    def _claim(self, account_id: str, writing: Writing, judged: Judged) -> str:
        """Registering access claims; a record that adds nobody does not, nor one that puts back."""
        if not judged.added - judged.put_back:
            return ""
        self._claimed[account_id] = writing.principal_id
        return writing.principal_id

    # Reasons

    def _explain(self, case: Case, value: str, now: Values, answer: _Answer) -> Reason:
        """Why a value is withheld: as it was when it was, or because of who wrote it now."""
        if value in case.withheld:
            return case.withheld[value]
        is_widening = value.startswith("+") and not value.startswith("+owner:")
        if is_widening and answer.code != MAY_WIDEN:
            return self._reason(answer, case, now.account_id)
        return Reason("writer_may_not_edit", {"name": case.writer.name or case.writer.code})

    def _why(self, case: Case, name: Name, now: Values, judged: Judged, answer: _Answer) -> Reason:
        value = f"+{name.value}"
        if value in judged.withheld:
            return self._explain(case, value, now, answer)
        if answer.code != MAY_WIDEN:
            return self._reason(answer, case, now.account_id)
        place = next((held for held in judged.withheld if held.startswith("+place:")), "")
        return self._explain(case, place or value, now, answer)

    def _reason(self, answer: _Answer, case: Case, account_id: str) -> Reason:
        account = self.directory.accounts.get(account_id)
        params = {"name": case.writer.name or case.writer.code, "account": account.name if account else account_id}
        return Reason(answer.code, {**params, "who": self._bench.render_people(answer.who)} if answer.who else params)


def _order(item: tuple[str, Case]) -> tuple[bool, datetime, str]:
    reference, case = item
    return isinstance(case.wish, SetWish), case.written_at, reference


def iter_names(wish: AssignmentWish) -> Iterator[tuple[str, str]]:
    """Source and name as written of everybody whom a wish names."""
    yield from (("kintone_user", code) for code in wish.users)
    yield from (("address", address) for address in wish.addresses)
    yield from (("group_name", name) for name in wish.groups)


def _key(values: Values, name: Name) -> AssignmentKey:
    kind = PrincipalType.GROUP if name.source == "group_name" else PrincipalType.USER
    return AssignmentKey(values.account_id, values.permission_set, kind, name.principal_id)


def _as_wish(values: Values) -> AssignmentWish:
    def names(source: str) -> tuple[str, ...]:
        return tuple(name.written for name in values.names if name.source == source)

    return AssignmentWish(
        values.account_id, values.permission_set, names("kintone_user"), names("address"), names("group_name"),
        values.expires_on,
    )  # fmt: skip


def _keep(by: Mapping[str, str], names: Iterable[Name]) -> dict[str, str]:
    return {name.value: by[name.value] for name in names if name.value in by}


def find_problem(reference: str, ruling: Ruling) -> Problem | None:
    """One problem for a record in which something is withheld: author and owners get one comment of it."""
    if not ruling.withheld:
        return None
    reasons = sorted(ruling.withheld.values(), key=lambda reason: (reason.code, str(sorted(reason.params.items()))))
    params = {"values": render_values(ruling.withheld), **reasons[0].params}
    if reasons[0].code in REACHES_OTHERS:
        return Problem(reasons[0].code, "warning", reference, params=params)
    code = "values_withheld_who" if "who" in params else "values_withheld"
    return Problem(code, "warning", reference, params=params)
