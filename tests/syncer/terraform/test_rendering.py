"""The files of a small company, to the byte. `terraform fmt -check` and `terraform validate` take them as they are."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.utils import translation

from syncer.states import ActualPrincipal, Boundary, Ownership, PolicyReference, PrincipalType, SetWish
from syncer.terraform.rendering import (
    ASSIGNMENTS,
    FILES,
    IMPORTS,
    INSTANCE,
    LEFT_OUT,
    PRINCIPALS,
    SETS,
    render_files,
)
from syncer.terraform.resources import label_assignment, lay_out
from syncer.terraform.selecting import Selection
from tests.syncer.terraform.company import choose
from tests.syncer.values import MANAGEMENT, SHOP, account, actual, key, permission_set, record, set_record
from tests.syncer.values import PRINCIPALS as PEOPLE

POLICY = (
    '{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", '
    '"Resource": "arn:aws:s3:::home/${aws:username}/*"}]}'
)
LIMITS, OTHER = PolicyReference("/team/", "Limits"), PolicyReference("/", "Other")
WISH = SetWish(
    "Root",
    'Break glass: "all"\n%{of it}',
    timedelta(hours=8),
    "https://example.com/?a=${b}",
    customer_managed_policies=(LIMITS, OTHER),
    inline_policy=POLICY,
    permissions_boundary="/team/Limits",
)
ROOT = permission_set(
    "Root",
    Ownership.TERRAFORM,
    managed_policies=frozenset({"arn:aws:iam::aws:policy/ReadOnlyAccess"}),
    customer_managed_policies=frozenset({LIMITS}),
    inline_policy=POLICY,
    permissions_boundary=Boundary(customer_managed=LIMITS),
)
TEAM = ActualPrincipal(PrincipalType.GROUP, "developers", "開発チーム")


@pytest.fixture(autouse=True)
def in_english() -> Iterator[None]:
    with translation.override("en"):
        yield


def choose_all() -> Selection:
    """Hana has Root and the team is to have it; Yuki is not provisioned, and Admin is handed out in the shop."""
    there = actual(
        key(MANAGEMENT, "Root", "hana"),
        key(SHOP, "Root", "taro"),
        principals={**PEOPLE, "developers": TEAM},
        sets={"Root": ROOT, "Admin": permission_set("Admin")},
    )
    return choose(
        record(1, "hana", "yuki", at=MANAGEMENT, name="Root", until=date(2026, 12, 31)),
        record(2, at=MANAGEMENT, name="Root", groups=("開発チーム",)),
        record(3, "hana", at=MANAGEMENT, name="Admin"),
        record(4, "hana", name="Admin"),
        sets=[set_record(1, "Admin"), set_record(3, "Root", wish=WISH)],
        there=there,
    )


EXPECTED = {
    INSTANCE: """\
# The instance of IAM Identity Center. Use these files with the management account's credentials.
# Written by Genkan from the records in kintone. Edit the records: the next export replaces this file.

data "aws_ssoadmin_instances" "genkan" {}

locals {
  genkan_instance_arn      = one(data.aws_ssoadmin_instances.genkan.arns)
  genkan_identity_store_id = one(data.aws_ssoadmin_instances.genkan.identity_store_ids)
}
""",
    PRINCIPALS: """\
# Users and groups, looked up by their names in Identity Center.
# Written by Genkan from the records in kintone. Edit the records: the next export replaces this file.

data "aws_identitystore_group" "chimu__aad587e83a" {
  identity_store_id = local.genkan_identity_store_id

  alternate_identifier {
    unique_attribute {
      attribute_path  = "DisplayName"
      attribute_value = "開発チーム"
    }
  }
}

data "aws_identitystore_user" "hana_example_com__ca70ecf5ca" {
  identity_store_id = local.genkan_identity_store_id

  alternate_identifier {
    unique_attribute {
      attribute_path  = "UserName"
      attribute_value = "hana@example.com"
    }
  }
}
""",
    SETS: """\
# Permission sets with their policies.
# Written by Genkan from the records in kintone. Edit the records: the next export replaces this file.

# Wanted by 23:3.
resource "aws_ssoadmin_permission_set" "Root" {
  instance_arn     = local.genkan_instance_arn
  name             = "Root"
  description      = "Break glass: \\"all\\"\\n%%{of it}"
  relay_state      = "https://example.com/?a=$${b}"
  session_duration = "PT8H"

  lifecycle {
    ignore_changes = [tags, tags_all]
  }
}

resource "aws_ssoadmin_customer_managed_policy_attachment" "Root_Other__049a41ec34" {
  instance_arn       = local.genkan_instance_arn
  permission_set_arn = aws_ssoadmin_permission_set.Root.arn

  customer_managed_policy_reference {
    name = "Other"
    path = "/"
  }
}

resource "aws_ssoadmin_customer_managed_policy_attachment" "Root_Limits__8f1e5c9e40" {
  instance_arn       = local.genkan_instance_arn
  permission_set_arn = aws_ssoadmin_permission_set.Root.arn

  customer_managed_policy_reference {
    name = "Limits"
    path = "/team/"
  }
}

resource "aws_ssoadmin_permission_set_inline_policy" "Root" {
  instance_arn       = local.genkan_instance_arn
  permission_set_arn = aws_ssoadmin_permission_set.Root.arn
  inline_policy      = <<-EOT
    {
      "Version": "2012-10-17",
      "Statement": [
        {
          "Effect": "Allow",
          "Action": "s3:GetObject",
          "Resource": "arn:aws:s3:::home/$${aws:username}/*"
        }
      ]
    }
  EOT
}

resource "aws_ssoadmin_permissions_boundary_attachment" "Root" {
  instance_arn       = local.genkan_instance_arn
  permission_set_arn = aws_ssoadmin_permission_set.Root.arn

  permissions_boundary {
    customer_managed_policy_reference {
      name = "Limits"
      path = "/team/"
    }
  }
}
""",
    ASSIGNMENTS: """\
# Who may enter which account with which permission set.
# Written by Genkan from the records in kintone. Edit the records: the next export replaces this file.

# account 9 × Root: 開発チーム
# Wanted by 24:2.
resource "aws_ssoadmin_account_assignment" "Root_999999999999_group__bbc37fb3a7" {
  instance_arn       = local.genkan_instance_arn
  permission_set_arn = aws_ssoadmin_permission_set.Root.arn

  principal_id   = data.aws_identitystore_group.chimu__aad587e83a.group_id
  principal_type = "GROUP"

  target_id   = "999999999999"
  target_type = "AWS_ACCOUNT"
}

# account 9 × Root: hana@example.com
# Wanted by 24:1, the last day is 2026-12-31.
resource "aws_ssoadmin_account_assignment" "Root_999999999999_user__75e8b9be40" {
  instance_arn       = local.genkan_instance_arn
  permission_set_arn = aws_ssoadmin_permission_set.Root.arn

  principal_id   = data.aws_identitystore_user.hana_example_com__ca70ecf5ca.user_id
  principal_type = "USER"

  target_id   = "999999999999"
  target_type = "AWS_ACCOUNT"
}
""",
    IMPORTS: """\
# What AWS has already. Needs Terraform 1.5 or newer; once applied, these blocks do nothing more.
# Written by Genkan from the records in kintone. Edit the records: the next export replaces this file.

import {
  to = aws_ssoadmin_permission_set.Root
  id = "arn:Root,arn:aws:sso:::instance/ssoins-1"
}

import {
  to = aws_ssoadmin_customer_managed_policy_attachment.Root_Limits__8f1e5c9e40
  id = "Limits,/team/,arn:Root,arn:aws:sso:::instance/ssoins-1"
}

import {
  to = aws_ssoadmin_permission_set_inline_policy.Root
  id = "arn:Root,arn:aws:sso:::instance/ssoins-1"
}

import {
  to = aws_ssoadmin_permissions_boundary_attachment.Root
  id = "arn:Root,arn:aws:sso:::instance/ssoins-1"
}

import {
  to = aws_ssoadmin_account_assignment.Root_999999999999_user__75e8b9be40
  id = "hana,USER,999999999999,AWS_ACCOUNT,arn:Root,arn:aws:sso:::instance/ssoins-1"
}
""",
    LEFT_OUT: """\
# What is not in these files, and why.
# Written by Genkan from the records in kintone. Edit the records: the next export replaces this file.
#
# Wanted in kintone, and left out:
# - account 9 (999999999999) × Admin: hana@example.com [24:3]
#   “Admin” is handed out by Genkan in other accounts. In the management account it would be lost to it.
#   Register a permission set of its own for the management account, and name that one in the record.
# - account 9 (999999999999) × Root: yuki [24:1]
#   yuki is not in Identity Center yet.
#   Nothing to do: access is given as soon as Entra ID has brought the name, usually within 40 minutes.
#
# In AWS, and in no record. Terraform leaves alone what it has not made or imported:
# - account 1 (000000000001) × Root: taro@example.com
#
# Attached in AWS, and not in the set's record. What Terraform has not imported, detach by hand:
# - Root: arn:aws:iam::aws:policy/ReadOnlyAccess
""",
}


@pytest.mark.parametrize("path", FILES)
def test_file_is_this_text(path: str) -> None:
    assert render_files(choose_all())[path] == EXPECTED[path]


def test_new_names_of_account_and_person_change_no_address() -> None:
    chosen = choose_all()
    renamed = replace(PEOPLE["hana"], name="hana.sato@example.com", display_name="花")
    accounts = {**chosen.actual.accounts, MANAGEMENT: replace(account(MANAGEMENT), name="renamed")}
    principals = {**chosen.actual.principals, "hana": renamed}
    again = replace(chosen, actual=replace(chosen.actual, accounts=accounts, principals=principals))
    label = label_assignment(key(MANAGEMENT, "Root", "hana"))
    for files in (render_files(chosen), render_files(again)):
        assert f'resource "aws_ssoadmin_account_assignment" "{label}" {{' in files[ASSIGNMENTS]
    assert "# renamed × Root: 花 (hana.sato@example.com)" in render_files(again)[ASSIGNMENTS]


def test_name_that_terraform_would_change_is_looked_up_by_id() -> None:
    """Terraform brings every string into NFC; AWS would not know the name any more."""
    written = ActualPrincipal(PrincipalType.GROUP, "developers", "か\u3099")
    there = actual(principals={**PEOPLE, "developers": written})
    chosen = choose(record(1, at=MANAGEMENT, name="Root", groups=("が",)), there=there)
    text = render_files(chosen)[PRINCIPALS]
    assert 'group_id          = "developers"' in text
    assert "alternate_identifier" not in text


@pytest.mark.parametrize(
    ("policy", "laid_out"),
    [
        ('{"b":1.50,"a":[],"c":"\\u00e9"}', '{\n  "b": 1.50,\n  "a": [],\n  "c": "\\u00e9"\n}'),
        ('{"a":"か\u3099😀"}', '{\n  "a": "\\u304b\\u3099\\ud83d\\ude00"\n}'),
        ("no JSON", "no JSON"),
    ],
    ids=["as written", "not NFC", "not JSON"],
)
def test_policy_keeps_every_value_as_it_is_written(policy: str, laid_out: str) -> None:
    assert lay_out(policy) == laid_out


def test_nothing_wanted_says_so() -> None:
    files = render_files(choose(recorded=(), sets=()))
    assert "all that is wanted is exported" in files[LEFT_OUT]
    assert "resource" not in "".join(files.values())
