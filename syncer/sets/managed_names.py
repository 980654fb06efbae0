"""From a written AWS managed policy to its ARN, or to what is the matter with it. Pure.

IAM's list decides while it is of today. A list that is old, or the one that comes with Genkan, only makes one wonder
about a name that is not in it: AWS adds some every week. What AWS has withdrawn stays where it is attached, and cannot
be attached anew.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from accounts.policy.managed import find_near, load_bundle
from syncer.directory import Directory
from syncer.records.parsing import normalise_managed_policy
from syncer.states import ActualPolicy

PARTITION = "aws"


@dataclass(frozen=True)
class Answer:
    """The policy's ARN, if there is any to go on with; code: what is to be said, empty if nothing."""

    arn: str | None
    code: str = ""
    severity: str = "error"
    params: Mapping[str, Any] = field(default_factory=dict)


def look_up(directory: Directory, written: str, attached: Collection[str] = (), *, as_boundary: bool = False) -> Answer:
    """`attached`: the ARNs that AWS has on the set now."""
    name = normalise_managed_policy(written)
    policy = directory.policies_by_name.get(name)
    if policy is None:
        kept = next((arn for arn in attached if name in (arn, arn.partition(":policy/")[2], _bare(arn))), None)
        judge = _judge_unlisted if directory.policies_listed_on is None else _doubt
        return judge(directory, written, kept)
    if not policy.is_attachable and not as_boundary:
        return Answer(None, "managed_policy_not_attachable", params={"policy": written})
    return Answer(policy.arn)


def _judge_unlisted(directory: Directory, written: str, kept: str | None) -> Answer:
    """IAM's own list of today does not have it."""
    listed = load_bundle().policies.get(_bare(written))
    if kept:
        return Answer(kept, "managed_policy_withdrawn_kept", "warning", {"policy": written})
    if near := _find_near(directory, written):
        return Answer(None, "managed_policy_misspelt", params={"policy": written, "near": near})
    if listed and written in (listed.name, listed.path + listed.name, listed.arn()):
        return Answer(None, "managed_policy_withdrawn", params={"policy": written})
    return Answer(None, "managed_policy_unknown", params={"policy": written})


def _doubt(directory: Directory, written: str, kept: str | None) -> Answer:
    """The list is not of today: AWS itself decides, and whoever wrote it learns that there is a doubt."""
    if kept:
        return Answer(kept)
    name, near = normalise_managed_policy(written), _find_near(directory, written)
    arn = name if name.startswith("arn:") else f"arn:{_find_partition(directory.policies)}:iam::aws:policy/{name}"
    params = {"policy": written, "day": str(directory.policies_listed_on)}
    if near:
        return Answer(arn, "managed_policy_not_listed_near", "warning", {**params, "near": near})
    return Answer(arn, "managed_policy_not_listed", "warning", params)


def _find_near(directory: Directory, written: str) -> str:
    """As it was written: an ARN for an ARN, else a name."""
    near = find_near(written, directory.policy_names)
    return directory.policies_by_name[near].arn if near and written.startswith("arn:") else near


def _find_partition(policies: Collection[ActualPolicy]) -> str:
    return next((policy.arn.split(":")[1] for policy in policies), PARTITION)


def _bare(policy: str) -> str:
    return policy.rpartition("/")[2]


def list_bundled(partition: str, in_use: Collection[ActualPolicy]) -> tuple[ActualPolicy, ...]:
    """What is known where IAM's list was never read: the list that comes with Genkan, and what is attached."""
    used = {policy.arn for policy in in_use}
    listed = (
        ActualPolicy(policy.arn(partition), policy.name, policy.is_attachable)
        for policy in load_bundle().policies.values()
    )
    return (*in_use, *(policy for policy in listed if policy.arn not in used))
