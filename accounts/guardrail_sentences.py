"""The words of guardrails and of what they decide about: access that is wanted or there, and moves of accounts.

Why something is refused is the rule's own sentence; the way out follows from its effect (see `accounts.sentences`).
"""

from collections.abc import Mapping

from django.utils.translation import gettext_noop as _

# Parameters stand in braces. (message, remedy)
GUARDRAIL_SENTENCES: Mapping[str, tuple[str, str]] = {
    "guardrail": (_("{sentence}"), _("Nobody new is let in, whoever registers it. Guardrail “{rule}”")),
    "guardrail_owners_only": (
        _("{sentence}"),
        _("Register somebody who owns the account. Guardrail “{rule}”"),
    ),
    "guardrail_groups_only": (
        _("{sentence}"),
        _("Register a group that the person is in. Guardrail “{rule}”"),
    ),
    "guardrail_roles_only": (
        _("{sentence}"),
        _("Ask one of those to register it whom the guardrail names. Guardrail “{rule}”"),
    ),
    "guardrail_expires_within": (
        _("{sentence}"),
        _("Choose a last day up to {latest}. Guardrail “{rule}”"),
    ),
    "guardrail_kept": (
        _("The guardrail “{rule}” came later, and this stays: {sentence}"),
        _("Nothing to do. Whoever looks after it may end it."),
    ),
    "guardrail_ends": (
        _("The guardrail “{rule}” ends this after {day}: {sentence}"),
        _("Register what the guardrail allows in time."),
    ),
    "guardrail_moved": (
        _("The guardrail “{rule}” would end this after {day}, had the account not been moved: {sentence}"),
        _("It stays until an owner of the account, or an admin, confirms the move on the account's page."),
    ),
    "guardrail_ended": (
        _("The guardrail “{rule}” ended this after {day}: {sentence}"),
        _("Register what the guardrail allows."),
    ),
    "guardrail_refuses": (_("Not in force for {names}: {sentence}"), _("Guardrail “{rule}”")),
    "guardrail_day": (
        _("The last day was not moved to {day}: {sentence}"),
        _("Choose an earlier day. Guardrail “{rule}”"),
    ),
    "guardrail_day_latest": (
        _("The last day cannot be moved that far: {sentence}"),
        _("Choose a last day up to {latest}. Guardrail “{rule}”"),
    ),
    "guardrail_matches_nothing": (
        _("The guardrail “{rule}” is about something that is not there any more: {lost}"),
        _("Mend or remove the guardrail; as it stands it protects nothing."),
    ),
    "guardrail_matches_no_account": (
        _("No account fits all that the guardrail “{rule}” says of where it holds."),
        _("Look at its unit, account, stage and tag together; as it stands it protects nothing."),
    ),
    "guardrail_matches_no_set": (
        _("No permission set fits what the guardrail “{rule}” is about."),
        _("Look at its permission set and at what sets may do; as it stands it protects nothing."),
    ),
    "guardrail_roles_gone": (
        _("Nobody is left of those who may register access by the guardrail “{rule}”."),
        _("Name other people or groups in the guardrail, or remove it; until then nobody can."),
    ),
    "protection_matches_nothing": (
        _("PROTECTED_OUS names a unit that is not there: {unit}"),
        _("Write its path from the root, or its id; as it stands it protects nothing."),
    ),
    "account_moved": (
        _(
            "The account “{account}” was moved from {old} to {new}. Stage: {stage_before} → {stage_after}. "
            "Guardrails: {rules_before} → {rules_after}. Owners: {owners_before} → {owners_after}. "
            "Protected: {protected_before} → {protected_after}"
        ),
        _("Access stays as it is until an owner of the account, or an admin, confirms the move on the account's page."),
    ),
    "account_moved_empty": (
        _("The account “{account}” was moved from {old} to {new}. Stage: {stage_before} → {stage_after}."),
        _("Nobody has access in it: nothing to do."),
    ),
}
