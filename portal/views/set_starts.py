"""What a new permission set can begin with: nothing, a template of ours, another set, or a managed policy of AWS."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.access import visible_permission_sets
from accounts.models import AwsPolicy, PermissionSet, User
from accounts.policy.formatting import format_text
from accounts.policy.limits import fits_inline
from accounts.policy.summary import name_of
from syncer.drafts import saving
from syncer.drafts.drafting import describe_definition
from syncer.mirror.policy_texts import load_texts
from syncer.tasks import request_policy_texts

_REFERENCE = "https://docs.aws.amazon.com/aws-managed-policy/latest/reference"
_COPIED = (
    "description", "session_duration", "relay_state", "managed_policies", "customer_managed_policies",
    "permissions_boundary", "inline_policy",
)  # fmt: skip


@dataclass(frozen=True)
class Template:
    """A set that many teams need. What its reader must put in stands in capitals in its policy."""

    title: str | Promise
    description: str | Promise
    managed_policies: tuple[str, ...] = ()
    statements: tuple[Mapping[str, Any], ...] = ()
    session_duration: str = "PT8H"

    def build_values(self) -> dict[str, Any]:
        return {
            "description": str(self.description),
            "session_duration": self.session_duration,
            "managed_policies": list(self.managed_policies),
            "inline_policy": _write(self.statements),
        }


def _write(statements: tuple[Mapping[str, Any], ...]) -> str:
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    return json.dumps(document, indent=2) if statements else ""


def _allow(*actions: str, on: str | list[str] = "*", **more: Any) -> Mapping[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": on, **more}


TEMPLATES: Mapping[str, Template] = {
    "read-only": Template(
        gettext_lazy("Read only"),
        gettext_lazy("Sees everything in the account, and changes nothing."),
        managed_policies=("ReadOnlyAccess",),
    ),
    "view-only": Template(
        gettext_lazy("View only"),
        gettext_lazy("Sees what there is and how it is set up, but no data."),
        managed_policies=("job-function/ViewOnlyAccess",),
    ),
    "cloudwatch": Template(
        gettext_lazy("CloudWatch only"),
        gettext_lazy("Reads logs, metrics, alarms and dashboards."),
        managed_policies=("CloudWatchReadOnlyAccess",),
    ),
    "bucket": Template(
        gettext_lazy("One S3 bucket"),
        gettext_lazy("Reads and writes the objects of one bucket."),
        statements=(
            _allow("s3:ListAllMyBuckets"),
            _allow("s3:ListBucket", "s3:GetBucketLocation", on="arn:aws:s3:::BUCKET-NAME"),
            _allow("s3:GetObject", "s3:PutObject", "s3:DeleteObject", on="arn:aws:s3:::BUCKET-NAME/*"),
        ),
    ),
    "ecs-deploy": Template(
        gettext_lazy("ECS deploy"),
        gettext_lazy("Pushes images, registers task definitions and updates the services of one cluster."),
        statements=(
            _allow("ecr:GetAuthorizationToken", "ecs:RegisterTaskDefinition", "ecs:DescribeTaskDefinition"),
            _allow(
                "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload",
                "ecr:DescribeImages", "ecr:GetDownloadUrlForLayer", "ecr:InitiateLayerUpload", "ecr:PutImage",
                "ecr:UploadLayerPart",
                on="arn:aws:ecr:*:*:repository/REPOSITORY-NAME",
            ),
            _allow(
                "ecs:DescribeServices", "ecs:UpdateService",
                on="arn:aws:ecs:*:*:service/CLUSTER-NAME/*",
            ),
            _allow(
                "iam:PassRole",
                on="arn:aws:iam::*:role/TASK-ROLE-NAME",
                Condition={"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
            ),
        ),
    ),
    "lambda": Template(
        gettext_lazy("Lambda operations"),
        gettext_lazy("Deploys and runs the functions of one product, and reads their logs."),
        statements=(
            _allow("lambda:ListFunctions", "lambda:GetAccountSettings", "logs:DescribeLogGroups"),
            _allow(
                "lambda:GetFunction", "lambda:GetFunctionConfiguration", "lambda:InvokeFunction",
                "lambda:UpdateFunctionCode", "lambda:PublishVersion",
                on="arn:aws:lambda:*:*:function:PRODUCT-*",
            ),
            _allow(
                "logs:DescribeLogStreams", "logs:FilterLogEvents", "logs:GetLogEvents", "logs:StartQuery",
                on="arn:aws:logs:*:*:log-group:/aws/lambda/PRODUCT-*:*",
            ),
        ),
    ),
    "session-manager": Template(
        gettext_lazy("Servers by Session Manager"),
        gettext_lazy("Opens a shell on the servers that bear one tag, without a key."),
        statements=(
            _allow("ec2:DescribeInstances", "ssm:DescribeInstanceInformation", "ssm:DescribeSessions"),
            _allow(
                "ssm:StartSession",
                on="arn:aws:ec2:*:*:instance/*",
                Condition={"StringEquals": {"ssm:resourceTag/PRODUCT": "NAME"}},
            ),
            _allow(
                "ssm:TerminateSession", "ssm:ResumeSession", on="arn:aws:ssm:*:*:session/${aws:userid}-*"
            ),
        ),
        session_duration="PT4H",
    ),
    "billing": Template(
        gettext_lazy("Billing"),
        gettext_lazy("Sees bills and costs, and sets up budgets."),
        managed_policies=("job-function/Billing",),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class SetStart:
    """The values that a new set's form begins with, and what is to be said of where they come from."""

    values: Mapping[str, Any] = field(default_factory=dict)
    note: str = ""
    link: str = ""  # where AWS shows the policy
    attach: str = ""  # the policy that could be attached instead
    again: str = ""  # the policy whose text is about to come


def find_start(user: User, kind: str, name: str) -> SetStart:
    """What was chosen; a blank form where it is not there."""
    builders = {"template": _from_template, "set": _from_set, "policy": _from_policy, "attach": _attach_policy}
    start = builders[kind](user, name.strip()) if kind in builders else SetStart()
    return replace(start, values={**start.values, "owners": _name_author(user)})


def _name_author(user: User) -> list[str]:
    return [user.person.kintone_code] if user.person and user.person.kintone_code else []


def _from_template(_user: User, name: str) -> SetStart:
    template = TEMPLATES.get(name)
    if template is None:
        return SetStart()
    note = _("Put your own names where the policy has capital letters.") if template.statements else ""
    return SetStart(template.build_values(), note)


def _from_set(user: User, name: str) -> SetStart:
    found = visible_permission_sets(user).select_related("record").filter(name=name).first()
    if found is None:
        return SetStart(note=_("There is no permission set “%(name)s”.") % {"name": name[:100]})
    note = _("Copied from %(name)s. Give the copy a name of its own.") % {"name": found.name}
    return SetStart(_read_set(found), note)


def _read_set(permission_set: PermissionSet) -> dict[str, Any]:
    """What is in force, else what AWS has: the same order as on the set's page."""
    if permission_set.record and permission_set.record.in_force:
        values = saving.load_start(permission_set.record).values
        return {name: values[name] for name in _COPIED if name in values}
    actual = permission_set.actual or {}
    values = describe_definition(actual, [name for name in _COPIED if name in actual])
    return {**values, "description": permission_set.description}


def _from_policy(_user: User, name: str) -> SetStart:
    """Its text, to be changed as one likes. Where that is not at hand, or too long, the policy itself is attached."""
    bare = name_of(name)
    found = AwsPolicy.objects.filter(name=bare).first()
    if found is None and AwsPolicy.objects.exists():
        return SetStart(note=_("AWS has no managed policy “%(name)s”.") % {"name": name[:100]})
    text = load_texts([bare]).get(bare, "") if found else ""
    if text and fits_inline(text):
        note = _(
            "The text of %(name)s as AWS has it today (%(version)s). What AWS changes later does not reach the set."
        )
        values = {"inline_policy": format_text(text) or text}
        return SetStart(values, note % {"name": bare, "version": found.version if found else ""}, attach=bare)
    return _attach(found, name, is_long=bool(text))


def _attach_policy(_user: User, name: str) -> SetStart:
    found = AwsPolicy.objects.filter(name=name_of(name)).first()
    note = _("The set attaches %(name)s itself: it follows what AWS changes.") % {"name": name_of(name)[:100]}
    return replace(_attach(found, name, is_long=True), note=note)


def _attach(found: AwsPolicy | None, name: str, *, is_long: bool) -> SetStart:
    shown = found.arn.partition(":policy/")[2] if found else name
    bare = name_of(shown)
    is_coming = not is_long and found is not None and request_policy_texts([bare])
    if is_long:
        note = _("%(name)s is longer than an inline policy may be, so the set attaches the policy itself.")
    elif is_coming:
        note = _("What %(name)s says is being read from AWS. Until then the set attaches the policy itself.")
    else:
        note = _(
            "The text of %(name)s is not kept here, so the set attaches the policy itself: it follows what AWS changes."
        )
    values = {"managed_policies": [shown]}
    return SetStart(values, note % {"name": bare}, f"{_REFERENCE}/{bare}.html", again=bare if is_coming else "")
