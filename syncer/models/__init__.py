"""What is done, as rows: runs, outboxes, how far kintone was read, whose turn it is, jobs, versions of sets."""

from syncer.models.exports import TerraformExport
from syncer.models.github import IssueWatch, SyncRequest
from syncer.models.jobs import Adoption, Examination
from syncer.models.kintone import AppState, Hint, KintoneUsage
from syncer.models.letters import Letter, LetterChoice, LetterSettings
from syncer.models.measures import MeasuredSum
from syncer.models.offers import TerraformOffer
from syncer.models.outbox import CommentSettings, Notice, RecordComment
from syncer.models.runs import Baseline, Change, Drift, Operation, Run
from syncer.models.sets import Farewell, SetVersion
from syncer.models.turns import Bucket, Lease
from syncer.models.watching import SecretEnd
from syncer.models.withdrawals import Withdrawal

__all__ = [
    "Adoption",
    "AppState",
    "Baseline",
    "Bucket",
    "Change",
    "CommentSettings",
    "Drift",
    "Examination",
    "Farewell",
    "Hint",
    "IssueWatch",
    "KintoneUsage",
    "Lease",
    "Letter",
    "LetterChoice",
    "LetterSettings",
    "MeasuredSum",
    "Notice",
    "Operation",
    "RecordComment",
    "Run",
    "SecretEnd",
    "SetVersion",
    "SyncRequest",
    "TerraformExport",
    "TerraformOffer",
    "Withdrawal",
]
