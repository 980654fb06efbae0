"""Permission sets: their names, whose they are, what they consist of, and where older versions of them are."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from syncer.gateways.identity_center_queries import Description, IdentityCenterQueries
from syncer.gateways.reading_ground import Ground
from syncer.gateways.reading_options import ReadOptions
from syncer.gateways.reading_questions import Asker, Blocks, Question
from syncer.states import ActualSet, Definition, Ownership, Scope


class SetReader:
    def __init__(self, center: IdentityCenterQueries, options: ReadOptions, asker: Asker, ground: Ground) -> None:
        self._center, self._options, self._asker, self._ground = center, options, asker, ground
        self._descriptions: dict[str, Description] = {}
        self._tags: dict[str, dict[str, str]] = {}

    def name_sets(self) -> dict[str, str]:
        """The names of the sets to read by ARN.

        A set's name never changes, so the mirror's names hold as long as the ARN is there. A targeted reading
        describes only what the mirror does not know, and only if one of its names is missing.
        """
        wanted, arns = self._options.wanted_sets, self._ground.arns
        if wanted is None:
            self._describe(arns)
            return {arn: description.name for arn, description in self._descriptions.items()}
        known = self._known_names()
        if not wanted <= set(known.values()):
            self._describe(arns - known.keys())
        names = {**known, **{arn: description.name for arn, description in self._descriptions.items()}}
        return {arn: name for arn, name in names.items() if name in wanted}

    def take_over(self) -> dict[str, ActualSet]:
        """The sets as the mirror has them, without those that are gone; new ones are described, with their tags.

        A set whose owner the mirror cannot say any more is of unknown ownership here.
        """
        known, ground = self._known_names(), self._ground
        self._describe(ground.arns - known.keys())
        new = {arn: description.name for arn, description in self._descriptions.items()}
        found = self.read(new, frozenset())
        mirrored = {name: self._options.known.sets[name] for name in known.values()}
        return {**{name: self._as_known(there) for name, there in mirrored.items()}, **found}

    def _as_known(self, there: ActualSet) -> ActualSet:
        if there.arn in self._ground.in_management:
            return replace(there, ownership=Ownership.TERRAFORM)
        return replace(there, ownership=Ownership.UNKNOWN) if there.ownership is Ownership.TERRAFORM else there

    def _known_names(self) -> dict[str, str]:
        return {arn: name for arn, name in self._options.known_names.items() if arn in self._ground.arns}

    def _describe(self, arns: Iterable[str]) -> None:
        def question(arn: str) -> Question[Description]:
            return Question(
                lambda: self._center.describe(arn),
                Scope(permission_set=self._options.known_names.get(arn)),
                about=arn,
            )

        self._descriptions |= self._asker.ask_all({arn: question(arn) for arn in sorted(arns)})

    def read(self, names: Mapping[str, str], defined: Collection[str] | None) -> dict[str, ActualSet]:
        """The sets by name: whose they are, and what those of ours and the management account's consist of.

        defined: the names of those whose definition is asked for; None for all.
        """
        owners = self._read_ownership(names)
        asked = {arn for arn in names if defined is None or names[arn] in defined}
        ours = sorted(arn for arn in asked if owners[arn] is Ownership.OURS)
        in_terraform = sorted(arn for arn in asked if owners[arn] is Ownership.TERRAFORM)
        definitions = self._asker.ask_all(
            {
                **{arn: self._definition(arn, names[arn], "all") for arn in ours},
                **{arn: self._definition(arn, names[arn], "none") for arn in in_terraform},
            }
        )
        stale = self._asker.ask_all({arn: self._stale_accounts(arn, names[arn]) for arn in ours})
        return {
            name: ActualSet(name, arn, owners[arn], definitions.get(arn), stale.get(arn, frozenset()))
            for arn, name in names.items()
        }

    def _read_ownership(self, names: Mapping[str, str]) -> dict[str, Ownership]:
        """Whose each set is. The management account's sets are Terraform's, whatever their tags say."""

        def question(arn: str) -> Question[dict[str, str]]:
            return Question(lambda: self._center.fetch_tags(arn), Scope(permission_set=names[arn]))

        in_management = self._ground.in_management
        asked = sorted(names.keys() - in_management - self._tags.keys())
        self._tags |= self._asker.ask_all({arn: question(arn) for arn in asked})
        return {
            arn: Ownership.TERRAFORM if arn in in_management else self._ownership(self._tags.get(arn)) for arn in names
        }

    def _ownership(self, tags: Mapping[str, str] | None) -> Ownership:
        if tags is None:
            return Ownership.UNKNOWN
        key, value = self._options.ownership_tag
        return Ownership.OURS if tags.get(key) == value else Ownership.NOT_OURS

    def _definition(self, arn: str, name: str, blocks: Blocks) -> Question[Definition]:
        description = self._descriptions.get(arn)
        return Question(lambda: self._center.fetch_definition(arn, description), Scope(permission_set=name), blocks)

    def _stale_accounts(self, arn: str, name: str) -> Question[frozenset[str]]:
        """The accounts with an older version that can be brought to the present one: AWS refuses what is not active."""
        active = {account_id for account_id, account in self._ground.accounts.items() if account.is_active}
        return Question(
            lambda: self._center.list_provisioned_accounts(arn, stale_only=True) & active, Scope(permission_set=name)
        )
