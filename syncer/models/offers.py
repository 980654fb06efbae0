"""The pull request that offers the files for Terraform: where to, and how far it is."""

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models.only_row import OnlyRow

_is_repository = RegexValidator(r"^[\w.-]+/[\w.-]+\Z", _("A repository is written owner/repo."))
_is_folder = RegexValidator(r"^(?!.*\.\.)[\w.-]+(/[\w.-]+)*\Z", _("A folder is written like aws/identity-center."))


class TerraformOffer(OnlyRow):
    """Off until somebody names a repository and switches it on. What is not to be edited says what was done."""

    is_on = models.BooleanField(
        _("offer by pull request"),
        default=False,
        help_text=_("The token of GITHUB_TOKEN has to read and write contents and pull requests of the repository."),
    )
    repository = models.CharField(
        _("repository"), max_length=200, blank=True, validators=[_is_repository], help_text="owner/repo"
    )
    base = models.CharField(
        _("branch"), max_length=200, blank=True, help_text=_("It is merged into this one; empty: the default branch.")
    )
    folder = models.CharField(
        _("folder"), max_length=400, blank=True, validators=[_is_folder], help_text=_("Empty: the repository's root.")
    )
    checksum = models.CharField(_("offered"), max_length=64, blank=True, editable=False, help_text="of the export")
    commit = models.CharField(
        max_length=64, blank=True, default="", db_default="", editable=False, help_text="that the branch was set to"
    )
    pull_url = models.CharField(_("pull request"), max_length=400, blank=True, editable=False)
    checked_at = models.DateTimeField(_("last checked"), null=True, blank=True, editable=False)
    retry_at = models.DateTimeField(_("tried again"), null=True, blank=True, editable=False)
    error = models.CharField(_("error"), max_length=400, blank=True, editable=False)

    class Meta:
        verbose_name = _("pull request for Terraform")
        verbose_name_plural = _("pull request for Terraform")
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="terraform_offer_one")]
