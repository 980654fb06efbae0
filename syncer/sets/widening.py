"""May this change of a permission set be made? Pure; one decision for the portal's forms and for revisions in kintone.

Whoever may edit a set may narrow it. What lets it do more reaches everybody who has it, so it needs somebody who owns
every account that the set is assigned in, or an admin (decision 21).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from accounts.ownership import Register
from accounts.policy.summary import SetPolicies, name_of
from accounts.policy.widening import does_more
from syncer.states import Definition, Reason, SetWish

POLICY_FIELDS = ("managed_policies", "customer_managed_policies", "inline_policy", "permissions_boundary")
NAMED = 3  # accounts and people in one sentence

Places = Mapping[str, frozenset[str]]
"""Set → ids of the accounts that it is assigned in, in AWS or by a record in force."""


Texts = Mapping[str, str]
"""AWS managed policies by name → what they say, as far as it is known."""


def read_policies(wish: SetWish, there: Definition | None = None, texts: Texts | None = None) -> SetPolicies:
    """What a set may do as its record says; of what the app has no field for, what AWS keeps."""
    if there is not None and wish.absent:
        wish = replace(wish, **{field: value for field, value in _as_written(there).items() if field in wish.absent})
    return SetPolicies(
        tuple(wish.managed_policies),
        tuple(map(str, wish.customer_managed_policies)),
        wish.inline_policy,
        _name_boundary(wish.permissions_boundary),
        texts or {},
    )


def read_policies_there(there: Definition, texts: Texts | None = None) -> SetPolicies:
    """What a set may do as AWS has it."""
    return read_policies(SetWish("", **_as_written(there)), texts=texts)


def _as_written(there: Definition) -> dict[str, Any]:
    return {
        "managed_policies": tuple(sorted(there.managed_policies)),
        "customer_managed_policies": tuple(sorted(there.customer_managed_policies)),
        "inline_policy": there.inline_policy,
        "permissions_boundary": str(there.permissions_boundary or ""),
    }


def _name_boundary(written: str) -> str:
    """AWS's own policies by name, however they are written; those of an account begin with a slash."""
    return written if written.startswith("/") else name_of(written)


# --- Whose accounts ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Strange:
    """The accounts of a set that somebody may not answer for.

    people: who may answer for all of them. are_known: False while it is not known who owns some.
    """

    accounts: tuple[str, ...] = ()
    people: frozenset[str] = frozenset()
    are_known: bool = True

    def __bool__(self) -> bool:
        return bool(self.accounts)


NOBODY_STRANGE = Strange()


def find_strange(register: Register, person: str, accounts: Iterable[str]) -> Strange:
    """Those that this person does not own, and the protected ones, for which only admins answer."""
    reached = sorted(accounts)
    strange = tuple(account for account in reached if not answers_for(register, person, account))
    if not strange:
        return Strange()
    owners = {account: register.find_owners(account) for account in reached}
    everywhere = frozenset.intersection(*(found.people for found in owners.values()))
    if any(map(register.is_protected, reached)):
        return Strange(strange)
    return Strange(strange, everywhere, all(owners[account].are_known for account in strange))


def answers_for(register: Register, person: str, account_id: str) -> bool:
    return register.owns(person, account_id) and not register.is_protected(account_id)


# --- The decision -----------------------------------------------------------------------------------------------------


class Change(NamedTuple):
    """A set before and after."""

    before: SetPolicies
    after: SetPolicies

    @property
    def does_more(self) -> bool:
        return does_more(self.before, self.after)


def is_refused(change: Change, strange: Strange) -> bool:
    """Narrowing always goes through; so does everything where all accounts are one's own."""
    return bool(strange) and change.does_more


class Words(NamedTuple):
    """Who wrote a change of which set, the accounts in its way, and who may answer for all: names people know.

    hidden: accounts in its way that whoever reads this may not see.
    """

    name: str
    writer: str
    accounts: Collection[str]
    people: Collection[str]
    hidden: int = 0

    def as_params(self) -> dict[str, object]:
        shown = {"accounts": list_names(self.accounts, self.hidden), "count": len(self.accounts) + self.hidden}
        who = {"who": list_names(self.people)} if self.people else {}
        return {"set": self.name, "name": self.writer, **shown, **who}


def explain_widening(words: Words) -> Reason:
    """Why a set may not do more."""
    code = "set_widens" if words.people else "set_widens_admin"
    return Reason(code, words.as_params())


def explain_taking(words: Words) -> Reason:
    """Why a record may not take the name of a set."""
    code = "set_taken" if words.people else "set_taken_admin"
    return Reason(code, words.as_params())


def explain_defining(words: Words) -> Reason:
    """Why a record may not define a set that nobody has defined and others have registered."""
    code = "set_wished" if words.people else "set_wished_admin"
    return Reason(code, words.as_params())


def list_names(names: Collection[str], hidden: int = 0) -> str:
    more = max(0, len(names) - NAMED) + hidden
    return ", ".join([*sorted(names)[:NAMED], *([f"… (+{more})"] if more else [])])
