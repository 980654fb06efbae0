"""The company's 18 permission sets as their kintone records say them, and how AWS holds them at the start. Pure data.

Most sets stand in AWS exactly as registered. What the first run finds to do is marked by `Beginning`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from typing import Any

from simulators.company.people import ADMINS, list_people

OWNERSHIP_TAG = {"managed-by": "genkan"}


class Beginning(Enum):
    """What AWS has of a set when the company begins."""

    AS_REGISTERED = "as registered"
    OLDER = "an older definition"
    NONE = "not there yet"
    MANAGEMENT = "made by Terraform, provisioned in the management account"


@dataclass(frozen=True)
class PermissionSet:
    """One record of the app of permission sets. Lists hold one line each, as people wrote them.

    `older` are the values AWS has instead of the record's while it begins `OLDER`.
    """

    name: str
    description: str
    session_duration: str
    managed: tuple[str, ...] = ()
    customer_managed: tuple[str, ...] = ()
    inline_policy: str = ""
    permissions_boundary: str = ""
    relay_state: str = ""
    owner: str = ADMINS[0]
    beginning: Beginning = Beginning.AS_REGISTERED
    older: Mapping[str, Any] = field(default_factory=dict)

    @property
    def owner_code(self) -> str:
        """The kintone code of the owner."""
        return next(person.kintone_code or person.upn for person in list_people() if person.upn == self.owner)


def _allow(*actions: str, sid: str) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": "*"}


def _deny(*actions: str, sid: str) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Deny", "Action": list(actions), "Resource": "*"}


def _policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)}, indent=2)


SERVICE_BOUNDARY = "/asagiri/ServiceBoundary"
LAKE_READER = "/asagiri/DataLakeReader"

_NO_USERS = _deny("iam:CreateUser", "iam:CreateAccessKey", "organizations:*", "account:*", sid="NoUsersNoKeys")
_RESTART = _allow(
    "ecs:UpdateService", "ecs:StopTask", "ssm:StartSession", "ssm:TerminateSession", sid="RestartServices"
)
_RELEASE = _allow("codepipeline:PutApprovalResult", "codedeploy:StopDeployment", "ecs:UpdateService", sid="Release")
_QUEUES = _allow("sqs:PurgeQueue", "sqs:StartMessageMoveTask", "sqs:ListQueues", sid="MoveMessages")

_OLD_RELEASE_POLICY = _policy(_allow("codepipeline:PutApprovalResult", sid="Release"))
_QUEUE_POLICY = _policy(_QUEUES)
# Somebody added an action at the end of the list, and left a comma behind it.
_BROKEN_QUEUE_POLICY = _QUEUE_POLICY.replace('"sqs:ListQueues"', '"sqs:ListQueues",\n        "sqs:GetQueueAttributes",')


def _platform_sets() -> tuple[PermissionSet, ...]:
    return (
        PermissionSet(
            "AdministratorAccess",
            "すべての操作。sandbox と緊急対応に限る。本番で使うときは期限を付けること。",
            "PT1H",
            managed=("AdministratorAccess",),
        ),
        PermissionSet(
            "PowerUserAccess", "IAM を除くほぼすべての操作。開発・検証環境向け。", "PT8H", managed=("PowerUserAccess",)
        ),
        PermissionSet("ReadOnlyAccess", "すべてのサービスの参照。", "8時間", managed=("ReadOnlyAccess",)),
        PermissionSet(
            "ViewOnlyAccess", "構成の参照のみ。データの中身は見えない。", "PT12H", managed=("ViewOnlyAccess",)
        ),
        PermissionSet(
            "NetworkAdministrator",
            "VPC・Transit Gateway・Route 53 の管理。",
            "PT240M",
            managed=("NetworkAdministrator", "AmazonRoute53FullAccess"),
            beginning=Beginning.OLDER,
            older={"session_duration": "PT2H"},
        ),
        PermissionSet(
            "OrganizationAdmin",
            "組織管理アカウントの管理者。Terraform で管理している。",
            "PT1H",
            managed=("AdministratorAccess",),
            owner=ADMINS[1],
            beginning=Beginning.MANAGEMENT,
        ),
    )


def _service_sets() -> tuple[PermissionSet, ...]:
    return (
        PermissionSet(
            "ServiceDeveloper",
            "プロダクト開発者の標準権限。IAM ユーザーとアクセスキーは作れない。",
            "PT8H",
            managed=("PowerUserAccess",),
            inline_policy=_policy(_NO_USERS),
            permissions_boundary=SERVICE_BOUNDARY,
        ),
        PermissionSet(
            "ServiceOperator",
            "本番運用。参照とサービスの再起動、Session Manager での接続。",
            "PT8H",
            managed=("ReadOnlyAccess", "AmazonSSMReadOnlyAccess"),
            inline_policy=_policy(_RESTART),
        ),
        PermissionSet(
            "ReleaseManager",
            "リリースの承認と切り戻し。",
            "PT4H",
            managed=("AWSCodePipeline_ReadOnlyAccess", "AWSCodeBuildReadOnlyAccess"),
            inline_policy=_policy(_RELEASE),
            beginning=Beginning.OLDER,
            older={"inline": _OLD_RELEASE_POLICY},
        ),
        PermissionSet(
            "LogViewer",
            "CloudWatch Logs と X-Ray の参照。問い合わせ調査用。",
            "PT8H",
            managed=("CloudWatchLogsReadOnlyAccess", "arn:aws:iam::aws:policy/AWSXrayReadOnlyAccess"),
            relay_state="https://ap-northeast-1.console.aws.amazon.com/cloudwatch/home#logsV2:log-groups",
        ),
        PermissionSet(
            "DatabaseAdministrator",
            "RDS・DynamoDB の管理。",
            "PT4H",
            managed=("DatabaseAdministrator", "AmazonRDSPerformanceInsightsReadOnly"),
        ),
        PermissionSet(
            "QueueOperator",
            "滞留した SQS メッセージの再投入と破棄。",
            "PT2H",
            managed=("AmazonSQSReadOnlyAccess",),
            inline_policy=_BROKEN_QUEUE_POLICY,
            beginning=Beginning.OLDER,
            older={"inline": _QUEUE_POLICY},
        ),
    )


def _office_sets() -> tuple[PermissionSet, ...]:
    return (
        PermissionSet(
            "SecurityAudit",
            "Security review: configuration, findings and trails of every account.",
            "PT8H",
            managed=("SecurityAudit", "AWSSecurityHubReadOnlyAccess", "AmazonGuardDutyReadOnlyAccess"),
            owner=ADMINS[1],
        ),
        PermissionSet(
            "SupportUser",
            "サポートケースの起票と AWS Health の確認。",
            "PT8H",
            managed=("SupportUser", "AWSHealthFullAccess"),
        ),
        PermissionSet(
            "BillingReader",
            "Costs, budgets and savings plans, read only.",
            "PT4H",
            managed=("AWSBillingReadOnlyAccess", "AWSBudgetsReadOnlyAccess", "AWSSavingsPlansReadOnlyAccess"),
            relay_state="https://us-east-1.console.aws.amazon.com/costmanagement/home",
        ),
        PermissionSet(
            "CostExplorer",
            "コスト分析。タグごとの配賦レポートの作成。",
            "PT4H",
            managed=("AWSBillingReadOnlyAccess", "AWSCostExplorerReadOnlyAccess"),
            beginning=Beginning.NONE,
        ),
        PermissionSet(
            "DataAnalyst",
            "データレイクの参照と Athena での集計。",
            "PT8H",
            managed=("AmazonAthenaFullAccess",),
            customer_managed=(LAKE_READER,),
        ),
        PermissionSet(
            "DataScientist",
            "SageMaker での学習と実験。",
            "PT12H",
            managed=("arn:aws:iam::aws:policy/job-function/DataScientist", "AmazonSageMakerFullAccess"),
            beginning=Beginning.NONE,
        ),
    )


@cache
def list_permission_sets() -> tuple[PermissionSet, ...]:
    """All 18, in the order in which they were registered."""
    return (*_platform_sets(), *_service_sets(), *_office_sets())


BROKEN_POLICY_SET = "QueueOperator"
UNKNOWN_POLICY_SET = "CostExplorer"
MANAGEMENT_SET = "OrganizationAdmin"


@dataclass(frozen=True)
class UnmanagedSet:
    """A set that AWS has and no record names: somebody else's. `managed` are names of AWS managed policies."""

    name: str
    description: str
    managed: tuple[str, ...]
    holders: tuple[tuple[str, str], ...]
    """(account name, group) of each assignment."""


UNMANAGED_SETS = (
    UnmanagedSet(
        "AWSAdministratorAccess",
        "Provides full access to AWS services and resources",
        ("AdministratorAccess",),
        (("asagiri-log-archive", "team-platform"), ("asagiri-audit", "team-platform")),
    ),
    UnmanagedSet(
        "LegacyPowerUser",
        "Before 2024. Ask the platform team.",
        ("PowerUserAccess",),
        (("biz-erp", "team-corporate-it"), ("biz-website", "team-marketing")),
    ),
    UnmanagedSet(
        "VendorMonitoring",
        "Set up by the monitoring vendor",
        ("CloudWatchReadOnlyAccess",),
        (("chat-prod", "team-sre"),),
    ),
)
