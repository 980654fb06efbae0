"""The simulated AWS organization: its state, and the Python interface that sample data and tests build it with.

Everything is kept here and in the stores below; the services in `simulators.aws.services` only translate calls.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any

from simulators.aws import holding
from simulators.aws.directory import Directory
from simulators.aws.entities import (
    DEFAULT_SESSION_DURATION,
    AccessKey,
    Account,
    Assignment,
    Boundary,
    Group,
    Instance,
    Membership,
    OrganizationalUnit,
    PermissionSet,
    PolicyReference,
    Principal,
    PrincipalType,
    User,
)
from simulators.aws.faults import Faults
from simulators.aws.identity_center import IdentityCenter
from simulators.aws.ids import Ids
from simulators.aws.limits import Limits, Throttle
from simulators.aws.organization import IDENTITY_CENTER_SERVICE, Organization
from simulators.aws.provisioning import Provisioning
from simulators.aws.requests import Requests
from simulators.clock import Clock

DEFAULT_REGION = "ap-northeast-1"


class AwsWorld:
    """One organization with one instance of IAM Identity Center; ids depend on the seed alone. Thread safe.

    Every `add_…` returns the new thing's id or ARN and takes effect at once; what AWS could not hold raises ValueError.

    To be set freely:
    async_seconds: how long a creation, deletion or provisioning takes, in seconds of the clock.
    default_page_size: rows of a page of sso-admin and identitystore when the caller names none (Organizations: 20).
    empty_pages: begin each listing with an empty page and a token, which AWS may do.
    delegated_lists_by_principal: allow ListAccountAssignmentsForPrincipal to the delegated administrator.
    on_change: called after every change, outside of the lock, in the thread that made it.
    """

    def __init__(self, seed: str = "genkan", clock: Clock | None = None, *, region: str = DEFAULT_REGION) -> None:
        self.clock, self.region = clock or Clock(), region
        self._set_up(Ids(seed))
        ids, now = self.ids, self.now()
        root_id, management_id = f"r-{ids.letters('root', 4)}", ids.digits("account", 12)
        self.organization = Organization(f"o-{ids.letters('organization', 10)}", root_id, management_id)
        self.directory, self.center, self.requests = Directory(), IdentityCenter(), Requests()
        self.instances = [self._new_instance(management_id, now)]
        email = "aws-management@example.com"
        self.organization.put_account(
            Account(management_id, ids.number(), "management", email, root_id, "ACTIVE", joined=now)
        )
        self._connect()

    def _set_up(self, ids: Ids) -> None:
        """What no state is kept of, and what `from_state` fills in later."""
        self.ids, self.faults = ids, Faults()
        self.async_seconds, self.default_page_size = 2.0, 20
        self.empty_pages = self.delegated_lists_by_principal = False
        self.on_change: Callable[[], None] = lambda: None
        self.calls: Counter[str] = Counter()
        self.throttled: Counter[str] = Counter()
        self.tags: dict[str, dict[str, str]] = {}
        self.access_keys: dict[str, AccessKey] = {}
        self.roles: dict[tuple[str, str], str] = {}
        self._lock, self._depth, self._changed = threading.RLock(), 0, False

    def _connect(self) -> None:
        self.provisioning = Provisioning(self.ids, self.organization, self.center, self.requests, self.faults)
        self.limits = Limits()

    # Facts about the world

    @property
    def limits(self) -> Limits:
        return self.provisioning.limits

    @limits.setter
    def limits(self, limits: Limits) -> None:
        self.provisioning.limits, self.throttle = limits, Throttle(limits)

    @property
    def instance(self) -> Instance:
        """The organization's instance."""
        return self.instances[0]

    @property
    def instance_arn(self) -> str:
        return self.instance.arn

    @property
    def identity_store_id(self) -> str:
        return self.instance.identity_store_id

    @property
    def management_account_id(self) -> str:
        return self.organization.management_account_id

    @property
    def root_id(self) -> str:
        return self.organization.root_id

    @property
    def external_id_issuer(self) -> str:
        """The issuer of all external ids: the SCIM endpoint of the identity store."""
        return f"https://scim.aws.com/{self.identity_store_id}"

    def now(self) -> float:
        """The clock's time in seconds since 1970, whole milliseconds."""
        return round(self.clock.now().timestamp(), 3)

    # Changing the world

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Hold the world still, with everything finished that is due by now."""
        try:
            with self._lock:
                self._depth += 1
                try:
                    if self.provisioning.finish_due(self.now()):
                        self._changed = True
                    yield
                finally:
                    self._depth -= 1
        finally:
            self._tell_change()

    @contextmanager
    def change(self) -> Iterator[None]:
        """A transaction that changes something unless it fails."""
        with self.transaction():
            yield
            self._changed = True

    def _tell_change(self) -> None:
        """Call `on_change` once for all that changed, when the outermost transaction is over."""
        with self._lock:
            changed = self._changed and self._depth == 0
            if changed:
                self._changed = False
        if changed:
            self.on_change()

    # Organization

    def add_ou(self, name: str, parent: str | None = None) -> str:
        """Add an organizational unit below another, or below the root."""
        with self.change():
            unit_id = f"ou-{self.root_id.removeprefix('r-')}-{self.ids.letters('unit', 8)}"
            unit = OrganizationalUnit(unit_id, self.ids.number(), name, parent or self.root_id)
            holding.require_unit(unit)
            self.organization.put_unit(unit)
            return unit_id

    def add_account(
        self, name: str, email: str, ou: str | None = None, state: str = "ACTIVE", account_id: str | None = None
    ) -> str:
        """Add a member account; `state` as in Organizations (`entities.Account`)."""
        with self.change():
            new_id = account_id or self.ids.digits("account", 12)
            account = Account(new_id, self.ids.number(), name, email, ou or self.root_id, state, joined=self.now())
            holding.require_account(account)
            self.organization.put_account(account)
            return new_id

    def set_account_state(self, account_id: str, state: str) -> None:
        with self.change():
            account = self.organization.accounts[account_id]
            holding.require_account(replace(account, state=state))
            account.state = state

    def move_account(self, account_id: str, ou: str) -> None:
        with self.change():
            self.organization.move_account(account_id, ou)

    def remove_ou(self, ou: str) -> None:
        with self.change():
            self.organization.remove_unit(ou)

    def delegate(self, account_id: str, service: str = IDENTITY_CENTER_SERVICE) -> None:
        """Make a member account delegated administrator for a service principal."""
        with self.change():
            if account_id not in self.organization.accounts or account_id == self.management_account_id:
                raise ValueError(f"{account_id} is no member account")
            self.organization.delegations.setdefault(account_id, {})[service] = self.now()

    def set_tags(self, resource: str, tags: Mapping[str, str]) -> None:
        """Replace all tags of an account, unit or root (by id), a permission set or an instance (by ARN)."""
        with self.change():
            holding.require_tags(tags)
            self.tags[resource] = dict(tags)

    def tags_of(self, resource: str) -> dict[str, str]:
        return dict(self.tags.get(resource, {}))

    # Identity store

    def add_user(
        self,
        user_name: str,
        display_name: str | None,
        email: str | None,
        external_id: str | None = None,
        status: str = "ENABLED",
        *,
        given_name: str | None = None,
        family_name: str | None = None,
    ) -> str:
        """Add a user; `status` is ENABLED or DISABLED, and what is None is missing from AWS's answers."""
        with self.change():
            now, user_id = self.now(), self._principal_id("user")
            names = (user_name, display_name, email, external_id, status, given_name, family_name)
            user = User(user_id, self.ids.number(), *names, created=now, updated=now)
            holding.require_user(user)
            self.directory.put_user(user)
            return user_id

    def set_user_status(self, user_id: str, status: str) -> None:
        with self.change():
            user = self.directory.users[user_id]
            holding.require_user(replace(user, status=status))
            user.status, user.updated = status, self.now()

    def change_user(self, user_id: str, **values: Any) -> None:
        """Change attributes of a user, as SCIM does: `user_name`, `external_id`, `display_name`, `email`, `status`."""
        with self.change():
            user = replace(self.directory.users[user_id], **values, updated=self.now())
            holding.require_user(user)
            self.directory.change_user(user)

    def remove_user(self, user_id: str) -> None:
        """Remove a user as a hard delete in Entra ID does: his assignments stay."""
        with self.change():
            self.directory.remove_user(user_id)

    def add_group(self, display_name: str, external_id: str | None = None) -> str:
        with self.change():
            group = Group(self._principal_id("group"), self.ids.number(), display_name, external_id, self.now())
            holding.require_group(group)
            self.directory.put_group(group)
            return group.id

    def rename_group(self, group_id: str, display_name: str) -> None:
        with self.change():
            group = replace(self.directory.groups[group_id], display_name=display_name)
            holding.require_group(group)
            self.directory.change_group(group)

    def remove_group(self, group_id: str) -> None:
        """Remove a group; its assignments stay."""
        with self.change():
            self.directory.remove_group(group_id)

    def add_member(self, group: str, user: str) -> str:
        with self.change():
            membership = Membership(self._principal_id("membership"), self.ids.number(), group, user, self.now())
            self.directory.put_membership(membership)
            return membership.id

    def remove_member(self, group: str, user: str) -> None:
        with self.change():
            self.directory.remove_membership(group, user)

    def has_principal(self, principal: Principal) -> bool:
        known = self.directory.users if principal.type == PrincipalType.USER else self.directory.groups
        return principal.id in known

    # Permission sets and assignments

    def add_permission_set(
        self,
        name: str,
        *,
        description: str | None = None,
        session_duration: str = DEFAULT_SESSION_DURATION,
        relay_state: str | None = None,
        managed: Iterable[str] = (),
        customer_managed: Iterable[tuple[str, str]] = (),
        inline: str | None = None,
        boundary: str | tuple[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> str:
        """Add a permission set.

        managed: ARNs. customer_managed: (path, name). boundary: an ARN, or (path, name) of a customer managed policy.
        """
        with self.change():
            instance_id = self.instance_arn.rpartition("/")[2]
            arn = f"arn:aws:sso:::permissionSet/{instance_id}/ps-{self.ids.hex('permission set', 16)}"
            permission_set = PermissionSet(arn, self.ids.number(), name, self.now(), description, session_duration)
            permission_set.relay_state, permission_set.inline = relay_state, inline
            permission_set.managed = list(managed)
            permission_set.customer_managed = [PolicyReference(*reference) for reference in customer_managed]
            permission_set.boundary = _boundary(boundary)
            holding.require_permission_set(permission_set)
            holding.require_tags(tags or {})
            self.center.put_set(permission_set)
            self.tags[arn] = dict(tags or {})
            return arn

    def permission_set_arn(self, name: str) -> str:
        """The ARN of the set with this name; raises KeyError if there is none."""
        arn = self.center.arn_of(name)
        if arn is None:
            raise KeyError(name)
        return arn

    def change_permission_set(self, arn: str, **values: Any) -> None:
        """Change a set by hand, as somebody in the console would: attributes of `entities.PermissionSet`."""
        with self.change():
            permission_set = self.center.sets[arn]
            if "boundary" in values:
                values["boundary"] = _boundary(values["boundary"])
            holding.require_permission_set(replace(permission_set, **values))
            for name, value in values.items():
                setattr(permission_set, name, value)
            permission_set.version += 1

    def add_assignment(self, account_id: str, set_arn: str, principal_type: str, principal_id: str) -> None:
        """Add an assignment at once, with the role where it is missing; nothing is checked in the account."""
        with self.change():
            principal = Principal(PrincipalType(principal_type), principal_id)
            if account_id not in self.organization.accounts or set_arn not in self.center.sets:
                raise ValueError(f"no account {account_id} or no permission set {set_arn}")
            if not self.has_principal(principal):
                raise ValueError(f"no {principal.type} {principal.id}")
            if not self.center.provision_of(account_id, set_arn):
                self.center.provision(account_id, set_arn, self.ids.number())
            self.center.add_assignment(Assignment(account_id, set_arn, *principal), self.ids.number())

    def remove_assignment(self, account_id: str, set_arn: str, principal_type: str, principal_id: str) -> None:
        """Remove an assignment at once, by hand; the last one of a pair takes the role with it."""
        with self.change():
            self.center.remove_assignment(Assignment(account_id, set_arn, principal_type, principal_id))

    def assignments(self) -> frozenset[Assignment]:
        """All assignments there are now: (account id, set ARN, principal type, principal id)."""
        with self.transaction():
            return frozenset(self.center.all_assignments())

    def add_customer_policy(self, account_id: str, path: str, name: str) -> None:
        """Let an account have a customer managed policy."""
        with self.change():
            reference = PolicyReference(path, name)
            holding.require_reference(reference)
            self.customer_policies.setdefault(account_id, []).append(reference)

    @property
    def customer_policies(self) -> dict[str, list[PolicyReference]]:
        return self.provisioning.customer_policies

    # Callers

    def add_role(self, account_id: str, role: str) -> str:
        """Let there be a role that sts.AssumeRole hands out; returns its ARN."""
        with self.change():
            self.roles.setdefault((account_id, role), self.ids.key("AROA"))
            return f"arn:aws:iam::{account_id}:role/{role}"

    def add_access_key(self, account_id: str, role: str) -> tuple[str, str]:
        """Make lasting credentials that act as `role` in the account: (access key id, secret access key)."""
        with self.change():
            self.add_role(account_id, role)
            return self._keep(self._new_key("AKIA", account_id, role, session="simulator"))

    def assume_role(self, account_id: str, role: str, session: str, seconds: int) -> AccessKey:
        """Make credentials for a role of the world that end after `seconds`."""
        with self.change():
            key = self._new_key("ASIA", account_id, role, session, expires=self.now() + seconds)
            self._keep(key)
            return key

    def add_account_instance(self, account_id: str) -> str:
        """Give a member account an instance of its own, which it lists before the organization's; returns the ARN."""
        with self.change():
            instance = self._new_instance(account_id, self.now())
            self.instances.append(instance)
            return instance.arn

    # Keeping

    def to_state(self) -> dict[str, Any]:
        """All there is, fit for JSON; settings, faults and counters are not part of it."""
        with self._lock:
            return {
                "seed": self.ids.seed,
                "counts": dict(self.ids.counts),
                "region": self.region,
                "organization": self.organization.to_state(),
                "directory": self.directory.to_state(),
                "center": self.center.to_state(),
                "requests": self.requests.to_state(),
                "instances": [asdict(instance) for instance in self.instances],
                "tags": {resource: dict(tags) for resource, tags in self.tags.items()},
                "customer_policies": {account: list(known) for account, known in self.customer_policies.items()},
                "access_keys": [asdict(key) for key in self.access_keys.values()],
                "roles": [[*role, role_id] for role, role_id in self.roles.items()],
            }

    @classmethod
    def from_state(cls, state: dict[str, Any], clock: Clock | None = None) -> "AwsWorld":
        """The world that `to_state` described; requests under way go on."""
        world = cls.__new__(cls)
        world.clock, world.region = clock or Clock(), state["region"]
        world._set_up(Ids(state["seed"], state["counts"]))
        world.organization = Organization.from_state(state["organization"])
        world.directory = Directory.from_state(state["directory"])
        world.center = IdentityCenter.from_state(state["center"])
        world.requests = Requests.from_state(state["requests"])
        world.instances = [Instance(**values) for values in state["instances"]]
        world.tags = {resource: dict(tags) for resource, tags in state["tags"].items()}
        world.access_keys = {values["id"]: AccessKey(**values) for values in state["access_keys"]}
        world.roles = {(account_id, role): role_id for account_id, role, role_id in state["roles"]}
        world._connect()
        for account_id, references in state["customer_policies"].items():
            world.customer_policies[account_id] = [PolicyReference(*reference) for reference in references]
        return world

    # Making ids

    def _principal_id(self, kind: str) -> str:
        return f"{self.identity_store_id.removeprefix('d-')}-{self.ids.uuid(kind)}"

    def _new_instance(self, owner_account_id: str, now: float) -> Instance:
        arn = f"arn:aws:sso:::instance/ssoins-{self.ids.hex('instance', 16)}"
        store_id = f"d-{self.ids.hex('identity store', 10)}"
        return Instance(arn, self.ids.number(), store_id, owner_account_id, created=now)

    def _new_key(
        self, prefix: str, account_id: str, role: str, session: str, expires: float | None = None
    ) -> AccessKey:
        token = self.ids.secret("token", 40) if expires else None
        role_id = self.roles[account_id, role]
        return AccessKey(
            self.ids.key(prefix), self.ids.secret("secret"), account_id, role, role_id, session, token, expires
        )

    def _keep(self, key: AccessKey) -> tuple[str, str]:
        self.access_keys[key.id] = key
        return key.id, key.secret


def _boundary(value: str | tuple[str, str] | None) -> Boundary | None:
    return PolicyReference(*value) if isinstance(value, tuple) else value
