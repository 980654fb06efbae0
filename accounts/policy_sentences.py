"""The words for what is found in a policy: codes of `accounts.policy` as sentences (see `accounts.sentences`).

A finding that AWS only knows by name is told in words of our own; who wants more follows its link.
"""

from collections.abc import Mapping

from django.utils.translation import gettext_noop as _

# Parameters stand in braces. (message, remedy)
POLICY_SENTENCES: Mapping[str, tuple[str, str]] = {
    # JSON that people write
    "json_single_quotes": (
        _("A single quotation mark {character} stands where JSON needs a double one (column {column})."),
        _('Replace it with ".'),
    ),
    "json_control": (
        _("The text holds a sign that cannot be seen ({character}, column {column})."),
        _("Delete it. A tab is written as \\t."),
    ),
    "json_line_break": (
        _("The text is not closed on its line (column {column})."),
        _('Close it with " before the line ends, or delete the line break.'),
    ),
    "json_escape": (_("“{found}” is no escape that JSON knows (column {column})."), _("Write \\\\ for a backslash.")),
    "json_number": (
        _("“{found}” is not written as JSON writes numbers (column {column})."),
        _("Write it as a plain number, or put it in quotation marks."),
    ),
    "json_word": (
        _("“{found}” is no value in JSON (column {column})."),
        _("Put it in quotation marks. Words without them are true, false and null."),
    ),
    "json_unquoted": (
        _("The name “{found}” has no quotation marks (column {column})."),
        _("Put it in quotation marks."),
    ),
    "json_key": (
        _("A name in quotation marks is expected here, not “{found}” (column {column})."),
        _('Write "name": value.'),
    ),
    "json_no_value": (
        _("A value is missing before “{found}” (column {column})."),
        _("Write the value after the colon."),
    ),
    "json_missing_colon": (
        _("A colon is missing between a name and its value (column {column})."),
        _("Insert a colon."),
    ),
    "json_missing_comma": (
        _("A comma is missing before “{found}” (column {column})."),
        _("Insert a comma after the element before it."),
    ),
    "json_wrong_sign": (
        _("“{found}” does not fit the bracket that is open (column {column})."),
        _("Close what is open: a list with ], an object with }}."),
    ),
    "json_after_end": (
        _("The policy has ended, and “{found}” follows (column {column})."),
        _("Delete what follows, or one closing bracket before it."),
    ),
    # Its size and its characters
    "policy_policy_size_not_checked_further": (
        _("The policy has {size} bytes; AWS takes {limit}. Nothing else in it was checked."),
        _("Shorten it, or move a part into a customer managed policy."),
    ),
    "policy_more_findings": (_("There are more than {limit} findings; the rest is not shown."), _("Mend these first.")),
    "policy_names_not_checked": (
        _("The names of actions, resources and keys could not be checked: the list of them is not installed."),
        _("Ask an administrator of Genkan to install it anew."),
    ),
    "policy_more_warnings": (_("The policy has {count} more warnings."), _("Mend these first.")),
    "many_policies": (
        _("{count} policies are attached; an account takes {limit} unless its quota was raised."),
        _("Merge some of them, or have the IAM quota raised in each account before the set is assigned there."),
    ),
    "policy_file_unreadable": (_("The file cannot be read: {text}"), _("Check its path and whether it may be read.")),
    "policy_file_not_utf8": (_("The file is not written in UTF-8."), _("Save it in UTF-8, without a BOM.")),
    # Its grammar
    "policy_text_expected": (_("{element} must be a text or a list of texts."), _("Write it in quotation marks.")),
    "policy_object_expected": (_("{element} must be an object."), _("Write it in braces: {{ … }}")),
    "policy_invalid_policy_element": (_("Policies have no element “{element}”."), _("Delete it.")),
    "policy_invalid_policy_element_near": (_("Policies have no element “{element}”."), _("Did you mean {near}?")),
    "policy_unsupported_principal": (
        _("{element} does not belong into a permission set: it applies to whoever is assigned to it."),
        _("Delete it. Who gets access stands in the assignments."),
    ),
    "policy_missing_version": (
        _("The policy has no Version, so AWS reads it by the rules of 2008: variables are not replaced."),
        _('Add "Version": "2012-10-17" at the top.'),
    ),
    "policy_old_version": (_("The version {found} is old: variables are not replaced."), _('Write "2012-10-17".')),
    "policy_invalid_version": (
        _("“{found}” is no version of the policy language."),
        _('Write "2012-10-17". It is not a date of your own.'),
    ),
    "policy_missing_effect": (_("The statement has no Effect."), _('Add "Effect": "Allow" or "Deny".')),
    "policy_invalid_effect": (_("Effect is “{found}”."), _('Write "Allow" or "Deny", with a capital.')),
    "policy_missing_action": (_("The statement has no Action."), _("Add Action, or NotAction.")),
    "policy_missing_resource": (
        _("The statement has no Resource."),
        _('Add Resource, or NotResource. For everything write "*".'),
    ),
    "policy_unsupported_element_combination": (
        _("{one} and {other} stand in the same statement."),
        _("Keep one of them, or make two statements."),
    ),
    "policy_unsupported_sid": (
        _("The Sid “{found}” has characters that AWS does not take."),
        _("Use A–Z, a–z and 0–9 only, without blanks and hyphens."),
    ),
    "policy_unique_sids_required": (
        _("The Sid “{found}” stands twice."),
        _("Give each statement a Sid of its own, or none."),
    ),
    "policy_empty_sid_value": (_("The Sid is empty."), _("Delete it, or write a word.")),
    "policy_empty_array_action": (
        _("{element} is an empty list, so the statement does nothing."),
        _("List actions, or delete the statement."),
    ),
    "policy_empty_array_resource": (
        _("{element} is an empty list, so the statement does nothing."),
        _("List resources, or delete the statement."),
    ),
    # Actions
    "policy_action_no_service": (
        _("The action “{found}” has no service before it."),
        _("Write service:Action, such as s3:GetObject."),
    ),
    "policy_action_colons": (
        _("The action “{found}” has more than one colon."),
        _("Write service:Action, such as s3:GetObject."),
    ),
    "policy_action_wrong": (
        _("“{found}” cannot be an action."),
        _("Names have letters and digits, and * or ? as wildcards; no blanks."),
    ),
    "policy_service_wrong": (
        _("“{found}” cannot be the service of an action; AWS takes no wildcards in it."),
        _("Write the service's prefix, such as s3, or * alone for everything."),
    ),
    "policy_invalid_service_in_action": (
        _("The list of AWS's services has no “{found}”. If it is new, all is well."),
        _("Check the spelling."),
    ),
    "policy_invalid_service_in_action_near": (
        _("The list of AWS's services has no “{found}”. If it is new, all is well."),
        _("Did you mean {near}?"),
    ),
    "policy_invalid_action": (
        _("The list of AWS's actions has no “{found}”. If it is new, all is well."),
        _("Check the spelling."),
    ),
    "policy_invalid_action_near": (
        _("The list of AWS's actions has no “{found}”. If it is new, all is well."),
        _("Did you mean {near}?"),
    ),
    "policy_action_matches_nothing": (
        _("No known action matches “{found}”."),
        _("Check the spelling before the wildcard."),
    ),
    "policy_redundant_action": (
        _("“{found}” is already contained in “{wider}”."),
        _("Delete it, or the wider one if that was not meant."),
    ),
    # Resources
    "policy_invalid_arn_prefix": (_("“{found}” is no ARN."), _('Write an ARN, which begins with arn:, or "*".')),
    "policy_missing_arn_field": (
        _("The ARN “{found}” has too few parts."),
        _("Write arn:partition:service:region:account:resource; parts may be empty, their colons may not be missing."),
    ),
    "policy_invalid_partition": (_("“{found}” is no partition of AWS."), _("Write one of {known}.")),
    "policy_invalid_arn_service_case": (_("The service “{found}” of the ARN has capitals."), _("Write {near}.")),
    "policy_wildcard_in_service_name": (
        _("The service “{found}” of the ARN has a wildcard: services that come later may be meant too."),
        _("Write one ARN for each service."),
    ),
    "policy_invalid_service": (
        _("The list of AWS's services has no “{found}”. If it is new, all is well."),
        _("Check the third part of the ARN."),
    ),
    "policy_invalid_service_near": (
        _("The list of AWS's services has no “{found}”. If it is new, all is well."),
        _("Did you mean {near}?"),
    ),
    "policy_invalid_arn_account": (_("“{found}” is no account id."), _("Write 12 digits, or * for every account.")),
    "policy_invalid_region": (_("“{found}” is no region."), _("Write a region such as ap-northeast-1, or *.")),
    "policy_missing_arn_region": (
        _("ARNs of this kind in {service} have a region, and here is none."),
        _("Write a region such as ap-northeast-1, or *."),
    ),
    "policy_arn_region_not_allowed": (
        _("ARNs of {service} have no region, and here stands “{found}”."),
        _("Leave the region empty; keep the colons."),
    ),
    "policy_arn_account_not_allowed": (
        _("ARNs of this kind in {service} have no account, and here stands “{found}”."),
        _("Leave the account empty; keep the colons."),
    ),
    "policy_iam_resource": (_("IAM has no resources like “{found}”."), _("Write *, or begin with one of {known} …")),
    "policy_invalid_arn_resource": (
        _("The list of resources of {service} has none like “{found}”. If it is new, all is well."),
        _("Compare the end of the ARN with AWS's page on the service."),
    ),
    "policy_resource_not_for_action": (
        _("None of the resources is one that “{action}” works on, so it is not allowed or denied for anything."),
        _("Add a resource like {wanted}"),
    ),
    "policy_resource_not_used": (
        _("No action of the statement works on “{found}”."),
        _("Delete it, or write a resource like {wanted}"),
    ),
    "policy_resource_star_needed": (
        _("“{action}” cannot be limited to resources, so it does nothing here."),
        _('Move it to a statement with "Resource": "*".'),
    ),
    "policy_redundant_resource": (
        _("“{found}” is already contained in “{wider}”."),
        _("Delete it, or the wider one if that was not meant."),
    ),
    "policy_redundant_statement": (_("An earlier statement says the same."), _("Delete one of the two.")),
    # Conditions
    "policy_empty_object_condition": (
        _("The condition is empty and changes nothing."),
        _("Delete it, or write a condition."),
    ),
    "policy_invalid_condition_operator": (
        _("There is no condition operator “{found}”."),
        _("Use one of AWS's list, such as StringEquals."),
    ),
    "policy_invalid_condition_operator_near": (
        _("There is no condition operator “{found}”."),
        _("Did you mean {near}?"),
    ),
    "policy_null_with_if_exists": (_("Null and IfExists exclude each other."), _("Write Null alone.")),
    "policy_null_with_qualifier": (_("Null with {qualifier} always has the same result."), _("Write Null alone.")),
    "policy_null_never_true": (
        _("“{key}” has to be absent here, and {operator} compares it: the condition is never met."),
        _("Delete one of the two."),
    ),
    "policy_invalid_condition_key_format": (
        _("“{found}” is no condition key."),
        _("Write service:key, such as aws:RequestedRegion."),
    ),
    "policy_duplicate_keys_with_different_case": (
        _("The key “{found}” stands twice in other letters."),
        _("Keep one of the two: keys do not differ by capitals."),
    ),
    "policy_deprecated_global_condition_key": (_("The key “{found}” is out of use."), _("Write {near}.")),
    "policy_invalid_global_condition_key": (
        _("The list of AWS's global keys has no “{found}”. If it is new, all is well."),
        _("Check the spelling."),
    ),
    "policy_invalid_global_condition_key_near": (
        _("The list of AWS's global keys has no “{found}”. If it is new, all is well."),
        _("Did you mean {near}?"),
    ),
    "policy_invalid_service_condition_key": (
        _("The list of AWS's condition keys has no “{found}”. If it is new, all is well."),
        _("Check the spelling."),
    ),
    "policy_invalid_service_condition_key_near": (
        _("The list of AWS's condition keys has no “{found}”. If it is new, all is well."),
        _("Did you mean {near}?"),
    ),
    "policy_condition_key_not_for_action": (
        _("Requests for {actions} do not carry the key “{key}”, so the condition is not met."),
        _("Use a key of these actions, or a global one."),
    ),
    "policy_type_mismatch": (
        _("{operator} does not compare “{key}”, whose values are of the type {wanted}."),
        _("Use an operator for {wanted}."),
    ),
    "policy_missing_qualifier": (
        _("“{key}” has several values."),
        _("Write ForAnyValue: or ForAllValues: before the operator."),
    ),
    "policy_forallvalues_with_single_valued_key": (
        _("ForAllValues is met too when “{key}” is absent, and it has one value only."),
        _("Leave ForAllValues: out."),
    ),
    "policy_empty_array_condition": (
        _("“{key}” is compared with an empty list and never matches."),
        _("List values, or delete the key."),
    ),
    "policy_empty_array_condition_forallvalues": (
        _("“{key}” is compared with an empty list: only requests without the key match."),
        _("List values, or ask for its absence with Null."),
    ),
    "policy_empty_array_condition_foranyvalue": (
        _("“{key}” is compared with an empty list and never matches."),
        _("List values, or delete the key."),
    ),
    "policy_empty_array_condition_ifexists": (
        _("“{key}” is compared with an empty list: only requests without the key match."),
        _("List values, or ask for its absence with Null."),
    ),
    "policy_invalid_condition_data_type": (
        _("The values of “{key}” must be texts, numbers or true and false."),
        _("Write a text or a list of texts."),
    ),
    "policy_condition_mixed": (_("The values of “{key}” are of different kinds."), _("Write all of them as texts.")),
    "policy_invalid_condition_multiple_boolean": (
        _("“{key}” is compared with more than one of true and false."),
        _("Keep one of them."),
    ),
    "policy_type_mismatch_boolean": (
        _("{operator} takes true or false, not “{found}”."),
        _('Write "true" or "false".'),
    ),
    "policy_type_mismatch_number": (_("{operator} takes numbers, not “{found}”."), _("Write a number.")),
    "policy_type_mismatch_date": (
        _("AWS cannot read “{found}” as a date."),
        _("Write it like 2026-11-25 or 2026-11-25T09:00:00Z."),
    ),
    "policy_invalid_date_value": (
        _("“{found}” counts seconds since 1970 and is easily misread."),
        _("Write it like 2026-11-25T09:00:00Z."),
    ),
    "policy_type_mismatch_ip_range": (_("“{found}” is no IP address or range."), _("Write it like 203.0.113.0/24.")),
    "policy_improve_ip_range": (_("AWS ignores the end of “{found}”."), _("Write {near}.")),
    "policy_private_ip_address": (
        _("aws:SourceIp is always a public address, so this condition is never met."),
        _("Write public ranges, or use aws:VpcSourceIp."),
    ),
    "policy_private_not_ip_address": (
        _("aws:SourceIp is always a public address, so this condition is always met."),
        _("Write public ranges, or use aws:VpcSourceIp."),
    ),
    "policy_private_ip_address_subset": (
        _("aws:SourceIp is always a public address; the private ranges have no effect."),
        _("Delete them, or use aws:VpcSourceIp."),
    ),
    "policy_private_not_ip_address_subset": (
        _("aws:SourceIp is always a public address; the private ranges have no effect."),
        _("Delete them, or use aws:VpcSourceIp."),
    ),
    "policy_type_mismatch_string": (
        _("{operator} takes Base64, and “{found}” is none."),
        _("Write the value in Base64."),
    ),
    "policy_wildcard_without_like_operator": (
        _("{operator} takes “{found}” literally, with its * or ?."),
        _("If a wildcard is meant, use {near}."),
    ),
    "policy_redundant_number_greatest": (
        _("Of several values of {operator} only the greatest counts."),
        _("Keep the greatest."),
    ),
    "policy_redundant_number_least": (
        _("Of several values of {operator} only the least counts."),
        _("Keep the least."),
    ),
    # Variables
    "policy_missing_brace_in_variable": (_("The variable “{found}” is not closed."), _("Write }} after its name.")),
    "policy_empty_variable": (
        _("The variable “{found}” has no name."),
        _("Write a key such as aws:username, or delete it."),
    ),
    "policy_unsupported_space_in_variable": (
        _("The variable “{found}” has a blank in its name."),
        _("Delete the blank."),
    ),
    "policy_missing_quote_in_variable": (
        _("The default of the variable “{found}” has no quotation marks."),
        _("Write it in single ones: ${{key, 'default'}}"),
    ),
    "policy_variable_unsupported_in_element": (
        _("{element} takes no variables: “{found}”."),
        _("Write the name itself. Variables belong into Resource and Condition."),
    ),
    "policy_variable_unsupported_in_version": (
        _("Without the version 2012-10-17 AWS takes “{found}” literally."),
        _('Write "Version": "2012-10-17" at the top.'),
    ),
    "policy_invalid_variable_for_operator": (
        _("{operator} takes no variables."),
        _("Use an operator for texts or ARNs, or write the value itself."),
    ),
    # What people should know of
    "policy_administrator": (
        _("The statement allows everything."),
        _("If that is not meant, list the actions that are needed."),
    ),
    "policy_not_action_with_allow": (
        _("Allow with NotAction allows everything but what is listed, also what AWS adds later."),
        _("List what is allowed with Action."),
    ),
    "policy_privilege_escalation": (
        _("Whoever may do this can give himself every right: {actions}"),
        _("Limit it to certain resources, or leave it out."),
    ),
    "policy_escalation_by_role": (
        _("Together with iam:PassRole for every role this gives the rights of any role: {actions}"),
        _("Limit iam:PassRole to certain roles, or with iam:PassedToService."),
    ),
    "policy_data_exposure": (
        _("This reads data or secrets of the whole account: {actions}"),
        _("Limit it to certain resources, or with a condition."),
    ),
    "policy_pass_role_with_not_action_and_not_resource": (
        _("NotAction with NotResource lets people hand on roles that were not meant (iam:PassRole)."),
        _("Name the roles, or add a condition on iam:PassedToService."),
    ),
    "policy_pass_role_with_not_resource": (
        _("NotResource lets people hand on roles that were not meant (iam:PassRole)."),
        _("Name the roles, or add a condition on iam:PassedToService."),
    ),
    "policy_pass_role_with_star_in_action_and_not_resource": (
        _("A wildcard in Action with NotResource lets people hand on roles that were not meant (iam:PassRole)."),
        _("Name the roles, or add a condition on iam:PassedToService."),
    ),
    "policy_pass_role_with_star_in_action_and_resource": (
        _("A wildcard in Action and Resource lets people hand on roles that were not meant (iam:PassRole)."),
        _("Name the roles, or add a condition on iam:PassedToService."),
    ),
    "policy_pass_role_with_star_in_resource": (
        _("A wildcard in Resource lets people hand on roles that were not meant (iam:PassRole)."),
        _("Name the roles, or add a condition on iam:PassedToService."),
    ),
    "policy_pass_role_with_star_in_resource_and_not_action": (
        _("A wildcard in Resource with NotAction lets people hand on roles that were not meant (iam:PassRole)."),
        _("Name the roles, or add a condition on iam:PassedToService."),
    ),
    "policy_create_slr_with_not_action_and_not_resource": (
        _(
            "NotAction with NotResource lets people create service-linked roles that were not meant "
            "(iam:CreateServiceLinkedRole)."
        ),
        _("Name the service's role, or add a condition on iam:AWSServiceName."),
    ),
    "policy_create_slr_with_not_resource": (
        _("NotResource lets people create service-linked roles that were not meant (iam:CreateServiceLinkedRole)."),
        _("Name the service's role, or add a condition on iam:AWSServiceName."),
    ),
    "policy_create_slr_with_star_in_action_and_not_resource": (
        _(
            "A wildcard in Action with NotResource lets people create service-linked roles that were not meant "
            "(iam:CreateServiceLinkedRole)."
        ),
        _("Name the service's role, or add a condition on iam:AWSServiceName."),
    ),
    "policy_create_slr_with_star_in_action_and_resource": (
        _(
            "A wildcard in Action and Resource lets people create service-linked roles that were not meant "
            "(iam:CreateServiceLinkedRole)."
        ),
        _("Name the service's role, or add a condition on iam:AWSServiceName."),
    ),
    "policy_create_slr_with_star_in_resource": (
        _(
            "A wildcard in Resource lets people create service-linked roles that were not meant "
            "(iam:CreateServiceLinkedRole)."
        ),
        _("Name the service's role, or add a condition on iam:AWSServiceName."),
    ),
    "policy_create_slr_with_star_in_resource_and_not_action": (
        _(
            "A wildcard in Resource with NotAction lets people create service-linked roles that were not meant "
            "(iam:CreateServiceLinkedRole)."
        ),
        _("Name the service's role, or add a condition on iam:AWSServiceName."),
    ),
    # What a set may do
    "summary_admin": (_("Administrator: it may do everything, or can give itself every right."), ""),
    "summary_power": (_("Nearly everything: it may use all services, but not the rights themselves."), ""),
    "summary_write": (_("It may change resources."), ""),
    "summary_billing": (_("Billing only."), ""),
    "summary_read_only": (_("Read only: it changes nothing."), ""),
    "summary_custom": (_("It changes only what its policies name."), ""),
    "summary_unknown": (
        _("What these policies allow is not known here, so they count as administrator: {policies}"),
        "",
    ),
    "summary_unreadable": (_("A policy cannot be read, so it counts as administrator."), ""),
    "summary_changes": (_("Changes: {services}"), ""),
    "summary_reads": (_("Reads: {services}"), ""),
}
