"""What names can be looked up in: principals by what kintone calls them, AWS managed policies by name. Pure."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import NamedTuple

from accounts.names import fold
from syncer.states import ActualAccount, ActualPolicy, ActualPrincipal, ActualSet, PrincipalType

KINTONE_USER, BY_PROFILE = "kintone_user", "kintone_mail"  # PrincipalLink.Source and How


class LinkKey(NamedTuple):
    """How a principal is written in kintone. `source` is one of PrincipalLink.Source."""

    source: str
    key: str  # folded


@dataclass(frozen=True)
class NewLink:
    """A first match, to be kept."""

    key: LinkKey
    principal_id: str
    how: str


@dataclass(frozen=True)
class Directory:
    """What names can be looked up in."""

    management_account_id: str
    accounts: Mapping[str, ActualAccount]
    sets: Mapping[str, ActualSet]
    principals: Mapping[str, ActualPrincipal]  # by id
    links: Mapping[LinkKey, str] = field(default_factory=dict)  # → principal id
    namesakes: Mapping[LinkKey, str] = field(default_factory=dict)  # → who may be meant now: nobody has decided yet
    renamed: Mapping[LinkKey, str] = field(default_factory=dict)  # → the name that the linked principal bears now
    waiting_hours: Mapping[tuple[PrincipalType, str], int] = field(default_factory=dict)  # by folded name
    policies: tuple[ActualPolicy, ...] = ()
    policies_listed_on: date | None = None  # None: they are IAM's own list of today
    user_suffix: str = ""
    match_email: bool = False
    mails: Mapping[str, str] = field(default_factory=dict)  # folded kintone code → mail in that user's profile
    by_profile: frozenset[LinkKey] = frozenset()  # kept links that were found by such a mail
    alike: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # folded code → several kintone users' codes
    unread: frozenset[PrincipalType] = frozenset()  # who is there now is not known: kept links hold, new ones may not

    @cached_property
    def users_by_name(self) -> Mapping[str, list[ActualPrincipal]]:
        return self._index(PrincipalType.USER, lambda principal: principal.name)

    @cached_property
    def users_by_email(self) -> Mapping[str, list[ActualPrincipal]]:
        return self._index(PrincipalType.USER, lambda principal: principal.email)

    @cached_property
    def groups_by_name(self) -> Mapping[str, list[ActualPrincipal]]:
        return self._index(PrincipalType.GROUP, lambda principal: principal.name)

    def _index(
        self, kind: PrincipalType, name_of: Callable[[ActualPrincipal], str]
    ) -> Mapping[str, list[ActualPrincipal]]:
        index: dict[str, list[ActualPrincipal]] = defaultdict(list)
        for principal in self.principals.values():
            if principal.type is kind and name_of(principal):
                index[fold(name_of(principal))].append(principal)
        return index

    @cached_property
    def policies_by_name(self) -> Mapping[str, ActualPolicy]:
        """By bare name and by ARN; where a name stands twice, the one without a path wins."""
        found: dict[str, ActualPolicy] = {}
        for policy in sorted(self.policies, key=lambda policy: policy.arn.count("/"), reverse=True):
            found[policy.name] = found[policy.arn] = policy
            found[policy.arn.partition(":policy/")[2]] = policy
        return found

    @cached_property
    def policy_names(self) -> tuple[str, ...]:
        """Of those that may be attached."""
        return tuple(policy.name for policy in self.policies if policy.is_attachable)


def find_match(directory: Directory, key: LinkKey) -> tuple[ActualPrincipal, str] | None:
    """The one principal that a written name means and how it was found (PrincipalLink.How); None for none or many."""
    is_group = key.source == "group_name"
    if (PrincipalType.GROUP if is_group else PrincipalType.USER) in directory.unread or find_alike(directory, key):
        return None
    if is_group:
        return _only(directory.groups_by_name.get(key.key), "display_name")
    found = _only(directory.users_by_name.get(key.key), "user_name")
    if found is None and directory.user_suffix:
        found = _only(directory.users_by_name.get(key.key + fold(directory.user_suffix)), "suffix")
    if found is None and directory.match_email:
        found = _only(directory.users_by_email.get(key.key), "email")
    if found is None and directory.match_email and (mail := _find_mail(directory, key)):
        found = _only(directory.users_by_email.get(fold(mail)), BY_PROFILE)
    return found


def find_alike(directory: Directory, key: LinkKey) -> tuple[str, ...]:
    """The codes of several kintone users that one key stands for: which of them is whose, nothing says."""
    return directory.alike.get(key.key, ()) if key.source == KINTONE_USER else ()


def _find_mail(directory: Directory, key: LinkKey) -> str:
    return directory.mails.get(key.key, "") if key.source == KINTONE_USER else ""


def is_by_profile(directory: Directory, code: str) -> bool:
    """Whether only the mail in his kintone profile says who this user is.

    People may edit their own profile. That can give somebody else's access to nobody but him whose mail stands there;
    but who writes as that user is not proven to be him, and may not do what he may.
    """
    key = LinkKey(KINTONE_USER, fold(code))
    if key in directory.links:
        return key in directory.by_profile
    found = find_match(directory, key)
    return found is not None and found[1] == BY_PROFILE


def _only(matches: list[ActualPrincipal] | None, how: str) -> tuple[ActualPrincipal, str] | None:
    return (matches[0], how) if matches and len(matches) == 1 else None


def find_policies_in_use(sets: Iterable[ActualSet]) -> tuple[ActualPolicy, ...]:
    """The AWS managed policies that are attached somewhere: all that is known where IAM's own list may not be read."""
    arns = {arn for there in sets if there.definition for arn in there.definition.managed_policies}
    return tuple(ActualPolicy(arn, arn.rpartition("/")[2], is_attachable=True) for arn in sorted(arns))
