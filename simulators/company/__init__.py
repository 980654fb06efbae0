"""The sample company, 株式会社あさぎりソフト.

It has 120 people, 42 AWS accounts, 18 permission sets and some 260 assignment records.

Pure data stands in `people`, `organization`, `permission_sets` and `assignments`; `kintone`, `aws` and `entra` make
worlds of it. Ids, tokens and names are the same in every world; only days are counted from today.
"""

from simulators.company.aws import build_aws
from simulators.company.entra import build_entra
from simulators.company.kintone import build_kintone

__all__ = ["build_aws", "build_entra", "build_kintone"]
