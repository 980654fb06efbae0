"""The words for what the API and its tokens refuse (see `accounts.sentences`)."""

from collections.abc import Mapping

from django.utils.translation import gettext_noop as _

# Parameters stand in braces. (message, remedy)
API_SENTENCES: Mapping[str, tuple[str, str]] = {
    "token_missing": (
        _("No access token came with the request."),
        _("Send it as “Authorization: Bearer gnk_…”; you make one on the portal's page “Access tokens”."),
    ),
    "token_wrong": (
        _("This access token is not good: it is unknown, has ended or was revoked, or its person may not come in."),
        _("Make a new one on the portal's page “Access tokens”."),
    ),
    "token_sign_in": (
        _("The person of this access token has not signed in to the portal for {days} days."),
        _("Sign in to the portal once; the token works again at once."),
    ),
    "token_scope": (
        _("This access token may not do that: it needs the scope “{scope}”."),
        _("Make one with that scope on the portal's page “Access tokens”."),
    ),
    "token_too_many": (
        _("You have {limit} access tokens that are good; there are no more."),
        _("Revoke one that you do not need."),
    ),
    "api_input_wrong": (_("The request cannot be understood: {text}"), _("Compare it with the API's description.")),
    "api_not_found": (_("There is nothing here that you may see."), _("Check the address and the id.")),
    "api_denied": (_("You may not do that."), _("Ask an owner of the account, or an admin of the portal.")),
    "api_too_often": (
        _("Too many requests came with this access token."),
        _("Go on after the seconds that Retry-After names."),
    ),
    "give_all_there": (_("Everybody named has this access already."), ""),
    "api_no_portal": (
        _("The address of the AWS access portal is not known yet."),
        _("It is once the first run has read AWS; or set AWS_ACCESS_PORTAL_URL and IDENTITY_CENTER_REGION."),
    ),
}
