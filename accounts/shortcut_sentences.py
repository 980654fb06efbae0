"""The words for destinations and services of shortcuts that are refused (see `accounts.sentences`).

The codes are frozen: what keeps shortcuts stores them, and the API hands them out.
"""

from collections.abc import Mapping

from django.utils.translation import gettext_noop as _

# Parameters stand in braces. (message, remedy)
SHORTCUT_SENTENCES: Mapping[str, tuple[str, str]] = {
    "destination_unreadable": (
        _("The address contains signs that browsers read differently."),
        _("Copy it from the address bar of the console once more, without blanks or line breaks."),
    ),
    "destination_long": (
        _("The address has {length} characters; a link takes {limit}."),
        _("Shorten the query or filter in it."),
    ),
    "destination_not_https": (
        _("The address does not begin with https://."),
        _("Copy the whole address from the address bar of the console."),
    ),
    "destination_not_console": (
        _("“{host}” is not the AWS console, and shortcuts lead nowhere else."),
        _("Use an address at {console}, or below it."),
    ),
    "destination_other_partition": (
        _("“{host}” is the console of another part of AWS than the one that this portal's accounts are in."),
        _("Use an address at {console}, or below it."),
    ),
    "destination_encoded_twice": (
        _("A part of the address is encoded twice, so that it may mean something else than it shows."),
        _("Choose the service and fill in its fields instead."),
    ),
    "destination_control": (
        _("The address hides a control character, such as a line break, behind a percent sign."),
        _("Copy the address from the console once more, or take the sign out."),
    ),
    # A place in a service
    "service_unknown": (
        _("There is no service “{slug}” any more."),
        _("Choose another one, or paste the address from the console."),
    ),
    "region_missing": (_("The service needs a region."), _("Choose the region that the resource is in.")),
    "account_missing": (_("The address of this service names the account."), _("Choose the account.")),
    "value_wrong": (_("“{value}” cannot stand here."), _("Write it like this: {example}")),
    # A service that an admin writes
    "service_slug_wrong": (
        _("“{slug}” cannot be the short name of a service."),
        _("Use small letters, digits and single hyphens, such as ecs-cluster."),
    ),
    "service_text_missing": (_("The text “{field}” is missing, too long or has more than one line."), _("Fill it in.")),
    "service_words_missing": (
        _("“{name}” has no name that people read."),
        _("Write one text, or one for each language: {{ja: …, en: …}}"),
    ),
    "service_place_wrong": (_("“{place}” is no kind of place."), _("Use regional, home or bare.")),
    "service_list_wrong": (_("A list is expected here."), _("Write it in brackets: […]")),
    "service_template_wrong": (
        _("The template is not a path at the console."),
        _("Begin with a single /, leave out https:// and the host, and use no blanks, backslashes or Japanese."),
    ),
    "service_braces_wrong": (
        _("A brace in the template belongs to no gap."),
        _("Write gaps as {{name}} or {{cw:name}}, with small letters, digits and underscores."),
    ),
    "service_gaps_touch": (
        _("The gaps {name} and {other} touch, so nobody could tell where one ends."),
        _("Put a sign between them."),
    ),
    "service_encoding_wrong": (
        _("There is no way of writing a value called “{encoding}”."),
        _("Use one of: {encodings}"),
    ),
    "service_gap_unknown": (
        _("The template asks for {name}, which is no parameter."),
        _("Add the parameter, or take the gap out."),
    ),
    "service_parameter_unused": (
        _("The parameter {name} has no gap in the template."),
        _("Put {{{name}}} into the template, or take the parameter out."),
    ),
    "service_parameter_wrong": (
        _("“{name}” cannot be a parameter."),
        _("Use small letters, digits and underscores, and no name that is filled by itself."),
    ),
    "service_parameter_twice": (_("The parameter {name} stands there twice."), _("Keep one of the two.")),
    "service_parameters_many": (
        _("There are more than {limit} parameters."),
        _("Nobody fills in so many: give some of them a fixed value in the template."),
    ),
    "service_type_wrong": (_("The parameter {name} has no type “{type}”."), _("Use one of: {types}")),
    "service_options_missing": (
        _("The options of the parameter {name} cannot be read."),
        _("Write a list of texts, or of value and label."),
    ),
    "service_pattern_wrong": (
        _("The pattern of the parameter {name} cannot be used: {pattern}"),
        _("Write a regular expression in which no group is repeated."),
    ),
    "service_example_wrong": (
        _("“{value}”, an example, default or option of the parameter {name}, does not fit it."),
        _("Write one that fits its type and pattern."),
    ),
    "service_lines_wrong": (
        _("The parameter {name} may have several lines, which this way of writing does not keep."),
        _("Write it as js or cw, or make it a text."),
    ),
    "service_not_recognised": (
        _("The address that the example makes is not recognised again: {url}"),
        _("Let each parameter stand between signs that its value cannot hold."),
    ),
    # What the weekly check finds
    "shortcut_account_gone": (
        _("The account {account} is closed, suspended or gone."),
        _("Delete the shortcut, or let it lead elsewhere."),
    ),
    "shortcut_set_gone": (
        _("There is no permission set any more called: {sets}"),
        _("Name another set, or none for whichever the visitor has."),
    ),
    "shortcut_audience_gone": (
        _("It is for the owners of {account}, and there are none any more."),
        _("Share it with everybody, or delete it."),
    ),
}
