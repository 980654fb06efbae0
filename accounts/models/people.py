"""Who there is: sign-ins, people, groups, and how kintone's names lead to them.

A person is a human known from Entra ID, Identity Center or kintone. `User` is only his sign-in; `Principal` is what
Identity Center assigns to. A principal without `principal_id` is one that somebody wishes for and that Identity
Center does not know yet.
"""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models.searching import Searchable, SearchKeyField


class UserManager(BaseUserManager["User"]):
    """Users come from Entra ID only: there is no way to create one with a password."""

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(username=username)


class User(AbstractBaseUser):
    """One person's sign-in: an object of one Entra ID tenant, never matched by anything but (`tid`, `oid`)."""

    username = models.CharField(max_length=150, unique=True, help_text=_("The object id in Entra ID."))
    entra_tid = models.CharField(_("tenant id"), max_length=36)
    entra_oid = models.CharField(_("object id"), max_length=36)
    display_name = models.CharField(_("name"), max_length=1024, blank=True)
    email = models.CharField(_("mail"), max_length=320, blank=True, help_text=_("Shown only; never used to match."))
    preferred_username = models.CharField(max_length=320, blank=True)
    upn = models.CharField("UPN", max_length=320, blank=True)
    is_guest = models.BooleanField(_("guest"), default=False)
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(_("portal admin"), default=False, help_text=_("From the app role, at each sign-in."))
    is_auditor = models.BooleanField(_("auditor"), default=False, help_text=_("From the app role, at each sign-in."))
    language = models.CharField(_("language"), max_length=8, blank=True)
    theme = models.CharField(_("theme"), max_length=5, blank=True, choices=[("light", _("light")), ("dark", _("dark"))])
    person = models.OneToOneField(
        "accounts.Person",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="user",
        verbose_name=_("person"),
    )
    date_joined = models.DateTimeField(_("first sign-in"), default=timezone.now)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("sign-in")
        verbose_name_plural = _("sign-ins")
        constraints = [
            # Also the look-up of every sign-in.
            models.UniqueConstraint(fields=["entra_tid", "entra_oid"], name="user_entra_identity"),
        ]

    def __str__(self) -> str:
        return self.display_name or self.preferred_username or self.username

    def has_usable_password(self) -> bool:
        """Nobody has a password here, so no page offers to change one."""
        return False

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """The admin site asks; every right there belongs to portal admins alone."""
        return self.is_active and self.is_staff

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_active and self.is_staff

    @property
    def may_see_everything(self) -> bool:
        return self.is_staff or self.is_auditor


class Principal(Searchable):
    """A user or group of the identity store, or one that is wished for and not there yet."""

    class Type(models.TextChoices):
        USER = "USER", _("user")
        GROUP = "GROUP", _("group")

    type = models.CharField(_("type"), max_length=5, choices=Type.choices)
    principal_id = models.CharField(max_length=47, unique=True, null=True, blank=True)
    name = models.CharField(
        _("name"),
        max_length=1024,
        blank=True,
        help_text=_("UserName or DisplayName in Identity Center, else as wished."),
    )
    name_key = models.CharField(max_length=1024, editable=False, help_text="NFKC, case-folded name, for looking up")
    display_name = models.CharField(_("display name"), max_length=1024, blank=True)
    email = models.CharField(_("mail"), max_length=320, blank=True)
    external_id = models.CharField(max_length=256, blank=True)
    external_issuer = models.CharField(max_length=256, blank=True)
    is_enabled = models.BooleanField(_("enabled"), default=True)
    first_seen = models.DateTimeField(default=timezone.now)
    disabled_at = models.DateTimeField(
        null=True, blank=True, help_text="while it is disabled: when it was last seen enabled"
    )
    gone_at = models.DateTimeField(null=True, blank=True, help_text="when it was last seen, once it is gone")
    search_key = SearchKeyField(of=("display_name", "name", "email"))

    class Meta:
        verbose_name = _("principal")
        verbose_name_plural = _("principals")
        constraints = [
            # One stand-in for everybody who wishes for the same unknown name.
            models.UniqueConstraint(
                fields=["type", "name_key"],
                condition=models.Q(principal_id__isnull=True),
                name="principal_one_stand_in",
            ),
        ]
        indexes = [
            # Resolving a kintone code or an Entra group name.
            models.Index(fields=["type", "name_key"], name="principal_by_name"),
            # Linking a sign-in by its object id.
            models.Index(fields=["external_id"], name="principal_by_external_id"),
        ]

    def __str__(self) -> str:
        return self.display_name or self.name or self.principal_id or "?"

    @property
    def is_provisioned(self) -> bool:
        """Identity Center knows it now."""
        return self.principal_id is not None and self.gone_at is None

    @property
    def is_group(self) -> bool:
        return self.type == self.Type.GROUP


class GroupManager(models.Manager["Group"]):
    def get_queryset(self) -> models.QuerySet["Group"]:
        return super().get_queryset().filter(type=Principal.Type.GROUP)


class Group(Principal):
    """A group principal, under its own name in the admin site and the pages."""

    objects: ClassVar[GroupManager] = GroupManager()

    class Meta:
        proxy = True
        verbose_name = _("group")
        verbose_name_plural = _("groups")


class Person(Searchable):
    """A human known from Entra ID, Identity Center or kintone."""

    principal = models.OneToOneField(
        Principal, null=True, blank=True, on_delete=models.SET_NULL, related_name="person", verbose_name=_("principal")
    )
    name = models.CharField(_("name"), max_length=1024, blank=True)
    email = models.CharField(_("mail"), max_length=320, blank=True)
    kintone_code = models.CharField(_("kintone code"), max_length=128, blank=True)
    search_key = SearchKeyField(of=("name", "email", "kintone_code"))

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        indexes = [
            # The list of people, in order of name.
            models.Index(fields=["name", "id"], name="person_by_name"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["kintone_code"], condition=~models.Q(kintone_code=""), name="person_one_kintone_code"
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.email or self.kintone_code or "?"


class PrincipalLink(models.Model):
    """What a name written in kintone means: made by an admin, or kept from the first match.

    A kept link outlives a change of the name on either side; that is what it is for.
    """

    class Source(models.TextChoices):
        KINTONE_USER = "kintone_user", _("kintone user code")
        ADDRESS = "address", _("address")
        GROUP_NAME = "group_name", _("group name")

    class How(models.TextChoices):
        ADMIN = "admin", _("by an admin")
        USER_NAME = "user_name", _("by UserName")
        SUFFIX = "suffix", _("by code and suffix")
        EMAIL = "email", _("by mail")
        KINTONE_MAIL = "kintone_mail", _("by the mail in kintone")
        DISPLAY_NAME = "display_name", _("by group name")
        CONFIRMED = "confirmed", _("confirmed: the same person or group")

    source = models.CharField(_("source"), max_length=12, choices=Source.choices)
    key = models.CharField(_("written as"), max_length=320, help_text=_("NFKC, case-folded."))
    principal = models.ForeignKey(
        Principal, on_delete=models.CASCADE, related_name="links", verbose_name=_("principal")
    )
    how = models.CharField(_("how"), max_length=12, choices=How.choices, default=How.ADMIN)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    external_id = models.CharField(
        max_length=256, blank=True, editable=False, help_text="of the principal, when it was last known to be the same"
    )
    left_at = models.DateTimeField(
        null=True, editable=False, help_text="when it was last seen, until it is decided who came in its place"
    )
    namesake = models.ForeignKey(
        Principal,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("may be meant now"),
        help_text=_("A principal of the same name that came after this one went: somebody has to say who is meant."),
    )

    class Meta:
        verbose_name = _("link to a principal")
        verbose_name_plural = _("links to principals")
        constraints = [
            # Also the look-up when records are resolved.
            models.UniqueConstraint(fields=["source", "key"], name="principal_link_key"),
        ]

    def __str__(self) -> str:
        return f"{self.key} → {self.principal}"


class GroupMembership(models.Model):
    """One person in one group, as Identity Center listed it."""

    group = models.ForeignKey(Principal, on_delete=models.CASCADE, related_name="memberships")
    member = models.ForeignKey(Principal, on_delete=models.CASCADE, related_name="member_of")

    class Meta:
        verbose_name = _("group membership")
        verbose_name_plural = _("group memberships")
        constraints = [
            # The members of a group; `member`'s own index serves "which groups am I in".
            models.UniqueConstraint(fields=["group", "member"], name="group_membership_once"),
        ]

    def __str__(self) -> str:
        return f"{self.member} ∈ {self.group}"
