"""A small catalogue of AWS managed policies: real names and paths, enough of them for two pages.

Their texts stand in the file beside this module, as AWS publishes them but for long lists of actions, which are thinned
out; `python -m tests.managed_policies` writes it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

ARN_PREFIX = "arn:aws:iam::aws:policy"
SERVICE_LINKED_PATH = "/aws-service-role/"

_NAMES: dict[str, tuple[str, ...]] = {
    "/": (
        "AdministratorAccess",
        "AdministratorAccess-Amplify",
        "AdministratorAccess-AWSElasticBeanstalk",
        "AIOpsReadOnlyAccess",
        "AmazonAthenaFullAccess",
        "AmazonAPIGatewayAdministrator",
        "AmazonAPIGatewayInvokeFullAccess",
        "AmazonBedrockFullAccess",
        "AmazonBedrockReadOnly",
        "AmazonCognitoPowerUser",
        "AmazonCognitoReadOnly",
        "AmazonDocDBFullAccess",
        "AmazonDynamoDBFullAccess",
        "AmazonDynamoDBReadOnlyAccess",
        "AmazonEC2ContainerRegistryFullAccess",
        "AmazonEC2ContainerRegistryPowerUser",
        "AmazonEC2ContainerRegistryReadOnly",
        "AmazonEC2FullAccess",
        "AmazonEC2ReadOnlyAccess",
        "AmazonECS_FullAccess",
        "AmazonEKSClusterPolicy",
        "AmazonEKSWorkerNodePolicy",
        "AmazonElastiCacheFullAccess",
        "AmazonElastiCacheReadOnlyAccess",
        "AmazonElasticFileSystemFullAccess",
        "AmazonElasticFileSystemReadOnlyAccess",
        "AmazonEventBridgeFullAccess",
        "AmazonEventBridgeReadOnlyAccess",
        "AmazonGuardDutyReadOnlyAccess",
        "AmazonInspector2ReadOnlyAccess",
        "AmazonKinesisFullAccess",
        "AmazonKinesisReadOnlyAccess",
        "AmazonMSKReadOnlyAccess",
        "AmazonOpenSearchServiceFullAccess",
        "AmazonOpenSearchServiceReadOnlyAccess",
        "AmazonRDSFullAccess",
        "AmazonRDSPerformanceInsightsReadOnly",
        "AmazonRDSReadOnlyAccess",
        "AmazonRedshiftReadOnlyAccess",
        "AmazonRoute53FullAccess",
        "AmazonRoute53ReadOnlyAccess",
        "AmazonS3FullAccess",
        "AmazonS3ReadOnlyAccess",
        "AmazonSageMakerFullAccess",
        "AmazonSESFullAccess",
        "AmazonSESReadOnlyAccess",
        "AmazonSNSFullAccess",
        "AmazonSNSReadOnlyAccess",
        "AmazonSQSFullAccess",
        "AmazonSQSReadOnlyAccess",
        "AmazonSSMFullAccess",
        "AmazonSSMManagedInstanceCore",
        "AmazonSSMReadOnlyAccess",
        "AmazonVPCFullAccess",
        "AmazonVPCReadOnlyAccess",
        "AWSAccountManagementReadOnlyAccess",
        "AWSBackupFullAccess",
        "AWSBillingConductorReadOnlyAccess",
        "AWSBillingReadOnlyAccess",
        "AWSBudgetsReadOnlyAccess",
        "AWSCertificateManagerFullAccess",
        "AWSCertificateManagerReadOnly",
        "AWSCloudFormationFullAccess",
        "AWSCloudFormationReadOnlyAccess",
        "AWSCloudShellFullAccess",
        "AWSCloudTrail_FullAccess",
        "AWSCloudTrail_ReadOnlyAccess",
        "AWSCodeBuildDeveloperAccess",
        "AWSCodeBuildReadOnlyAccess",
        "AWSCodePipeline_FullAccess",
        "AWSCodePipeline_ReadOnlyAccess",
        "AWSGlueConsoleFullAccess",
        "AWSHealthFullAccess",
        "AWSKeyManagementServicePowerUser",
        "AWSLambda_FullAccess",
        "AWSLambda_ReadOnlyAccess",
        "AWSOrganizationsReadOnlyAccess",
        "AWSResourceExplorerReadOnlyAccess",
        "AWSSavingsPlansReadOnlyAccess",
        "AWSSecurityHubReadOnlyAccess",
        "AWSSSOReadOnly",
        "AWSStepFunctionsConsoleFullAccess",
        "AWSStepFunctionsReadOnlyAccess",
        "AWSSupportAccess",
        "AWSWAFReadOnlyAccess",
        "AWSXrayReadOnlyAccess",
        "CloudFrontFullAccess",
        "CloudFrontReadOnlyAccess",
        "CloudWatchFullAccessV2",
        "CloudWatchLogsFullAccess",
        "CloudWatchLogsReadOnlyAccess",
        "CloudWatchReadOnlyAccess",
        "IAMAccessAnalyzerReadOnlyAccess",
        "IAMFullAccess",
        "IAMReadOnlyAccess",
        "PowerUserAccess",
        "ReadOnlyAccess",
        "ResourceGroupsandTagEditorReadOnlyAccess",
        "SecretsManagerReadWrite",
        "SecurityAudit",
        "ServiceQuotasReadOnlyAccess",
    ),
    "/job-function/": (
        "Billing",
        "DatabaseAdministrator",
        "DataScientist",
        "NetworkAdministrator",
        "SupportUser",
        "SystemAdministrator",
        "ViewOnlyAccess",
    ),
    "/service-role/": (
        "AmazonEBSCSIDriverPolicy",
        "AmazonEC2RoleforSSM",
        "AmazonECSTaskExecutionRolePolicy",
        "AmazonRDSEnhancedMonitoringRole",
        "AWSBackupServiceRolePolicyForBackup",
        "AWSConfigRole",
        "AWSGlueServiceRole",
        "AWSLambdaBasicExecutionRole",
        "AWSLambdaVPCAccessExecutionRole",
        "AWSQuickSightListIAM",
    ),
    SERVICE_LINKED_PATH: (
        "AmazonECSServiceRolePolicy",
        "AmazonEKSServiceRolePolicy",
        "AmazonGuardDutyServiceRolePolicy",
        "AmazonRDSServiceRolePolicy",
        "AWSControlTowerAccountServiceRolePolicy",
        "AWSOrganizationsServiceTrustPolicy",
        "AWSSSOServiceRolePolicy",
        "AWSSupportServiceRolePolicy",
        "CloudWatchEventsServiceRolePolicy",
    ),
    "/root-task/": (
        "IAMAuditRootUserCredentials",
        "IAMCreateRootUserPassword",
        "IAMDeleteRootUserCredentials",
        "S3UnlockBucketPolicy",
        "SQSUnlockQueuePolicy",
    ),
}


@dataclass(frozen=True)
class ManagedPolicy:
    path: str
    name: str

    @property
    def arn(self) -> str:
        return f"{ARN_PREFIX}{self.path}{self.name}"

    @property
    def is_attachable(self) -> bool:
        """Service-linked roles have their policies to themselves."""
        return self.path != SERVICE_LINKED_PATH


@dataclass(frozen=True)
class PolicyVersion:
    """The version that is in force, and its text."""

    number: str
    document: str


@cache
def _load_versions() -> Mapping[str, Any]:
    return dict(json.loads(files("simulators.aws").joinpath("managed_policies.json").read_bytes()))


def find_version(name: str) -> PolicyVersion | None:
    """The default version of a policy by its name; None for the few of which no text is known."""
    row = _load_versions().get(name)
    return PolicyVersion(row["version"], json.dumps(row["document"], indent=4)) if row else None


@cache
def managed_policies() -> dict[str, ManagedPolicy]:
    """The AWS managed policies by ARN, in the order of their names."""
    policies = [ManagedPolicy(path, name) for path, names in _NAMES.items() for name in names]
    return {policy.arn: policy for policy in sorted(policies, key=lambda policy: policy.name.casefold())}
