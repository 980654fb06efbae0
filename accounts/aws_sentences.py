"""The words for what AWS answered (see `accounts.sentences`)."""

from collections.abc import Mapping

from django.utils.translation import gettext_noop as _

# Parameters stand in braces. (message, remedy)
AWS_SENTENCES: Mapping[str, tuple[str, str]] = {
    # What AWS answered
    "aws_refused": (_("AWS refused: {text}"), _("It is tried again in an hour, or as soon as the record changes.")),
    # Why a request of AWS's ended as failed
    "aws_policy_missing": (
        _("The account {account} has no policy “{policy}”, which the permission set names."),
        _("Whoever looks after the account creates it there, same path and name; or the set's owner takes it out."),
    ),
    "aws_managed_policy_missing": (
        _("AWS has no managed policy “{policy}” that can be attached."),
        _("The set's owner mends the name in the permission set's record."),
    ),
    "aws_policies_per_role": (
        _("The permission set has more policies than the account allows for one role ({limit})."),
        _("Whoever looks after the account raises that quota of IAM there; or the set's owner takes policies out."),
    ),
    "aws_account_quota": (
        _("The account is at a limit of IAM: {quota}, {limit}."),
        _("Whoever looks after the account raises this quota there, or removes what is not needed."),
    ),
    "aws_inline_too_large": (
        _("The inline policy is larger than the {limit} bytes that IAM takes."),
        _("Shorten it, or move a part into a customer managed policy."),
    ),
    "aws_inline_rejected": (
        _("IAM does not take the set's policy: {text}"),
        _("The set's owner mends the policy in the permission set's record."),
    ),
    "aws_account_out_of_reach": (
        _("AWS cannot work in the account for the moment: {text}"),
        _("Nothing to do: the next run tries again. If it stays, see whether the account is suspended or being made."),
    ),
    "aws_iam_denied": (
        _("IAM did not let Identity Center change the account: {text}"),
        _("See that the account has the role AWSServiceRoleForSSO, and that no service control policy stops it."),
    ),
    "aws_assignment_gone": (
        _("AWS does not have the assignment any more."),
        _("Nothing to do: the next run reads again."),
    ),
    "aws_provision_gone": (
        _("The account does not hold the permission set any more."),
        _("Nothing to do: the next run reads again."),
    ),
    "aws_set_gone": (
        _("AWS does not have the permission set any more."),
        _("Nothing to do: the next run reads again."),
    ),
    "aws_refused_for_now": (
        _("AWS could not do it just now: {text}"),
        _("Nothing to do: the next run tries again."),
    ),
    "aws_gave_no_reason": (
        _("AWS refused and gave no reason."),
        _("It is tried again in an hour, or as soon as the record changes."),
    ),
    "aws_forgot_request": (
        _("AWS no longer knows the request."),
        _("Nothing to do: the next run looks what became of it."),
    ),
    "aws_slow": (
        _("AWS has been at work for more than {minutes} minutes."),
        _("Nothing to do: the next run looks what became of it."),
    ),
    "run_lost": (
        _("The process ended before AWS answered."),
        _("Nothing to do: the next run looks what became of it."),
    ),
    "not_wanted_any_more": (_("The record changed meanwhile, so this was not done."), ""),
    # AWS
    "aws_unreachable": (
        _("AWS cannot be reached ({operation}): {text}"),
        _("Check the network and IDENTITY_CENTER_REGION. Nothing is changed until AWS answers."),
    ),
    "aws_unavailable": (
        _("AWS is out of order for the moment ({operation}): {code}"),
        _("Nothing to do: the next run tries again."),
    ),
    "aws_throttled": (
        _("AWS has too many requests ({operation})."),
        _("Nothing to do: the next run tries again. If it stays, lower IDENTITY_CENTER_TPS."),
    ),
    "aws_credentials": (
        _("AWS does not accept the portal's credentials ({operation}): {code}"),
        _("Check the AWS_* variables or the role of the machine, and IDENTITY_CENTER_ROLE_ARN."),
    ),
    "aws_denied": (
        _("AWS denies {operation} to the portal's role: {text}"),
        _("Allow the operation to the role (docs/aws-permissions.md), from the delegated administrator account."),
    ),
    "aws_not_found": (
        _("AWS does not know what was asked for ({operation}): {text}"),
        _("Nothing to do: the next run reads again."),
    ),
    "aws_invalid": (_("AWS does not take the value ({operation}): {text}"), _("Mend the record.")),
    "aws_quota": (
        _("A limit of AWS is reached ({operation}): {text}"),
        _("Have the quota raised in AWS, or use less of it."),
    ),
    "aws_conflict": (
        _("Another change of the same thing is under way in AWS ({operation})."),
        _("Nothing to do: the next run tries again."),
    ),
    "aws_name_taken": (
        _("AWS has a permission set of this name already: {text}"),
        _("Nothing to do: the next run reads it."),
    ),
    "aws_set_in_use": (
        _("The permission set is still in use in: {accounts}"),
        _("Nothing to do: the next run tries again once the assignments are gone."),
    ),
    "aws_outcome_unknown": (
        _("AWS did not answer, and what became of the change is not known ({operation})."),
        _("Nothing to do: the next run looks what became of it."),
    ),
    "aws_truncated": (
        _("AWS's list is not complete ({operation})."),
        _("Nothing is changed until a complete list comes."),
    ),
    "aws_empty": (
        _("AWS's list is empty, which cannot be right ({operation})."),
        _("Nothing is removed until a list comes. Check the portal's role and the provisioning from Entra ID."),
    ),
    "owners_tags_denied": (
        _("AWS does not let the portal read the tags of accounts, so owners named there are not known."),
        _("Allow organizations:ListTagsForResource to the portal's role, or enter owners in the portal."),
    ),
    "aws_instance_missing": (
        _("There is no Identity Center instance of the organization in {region}."),
        _(
            "Set IDENTITY_CENTER_REGION to the instance's primary region, use the delegated administrator account, and "
            "leave IDENTITY_CENTER_INSTANCE_ARN empty or have it name that instance."
        ),
    ),
    "aws_wrong_region": (
        _("The Identity Center instance is at home in {primary_region}, not in {region}."),
        _("Set IDENTITY_CENTER_REGION={primary_region}."),
    ),
    "aws_organization_missing": (
        _("The portal's AWS account does not belong to an organization."),
        _("Use the delegated administrator account of the organization."),
    ),
    "aws_error": (_("AWS refused {operation}: {code} {text}"), _("See the log.")),
}
