"""Who works here, in which team and branch, in which role, and whose customers they may see."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils.translation import gettext_lazy as _


class Branch(models.Model):
    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=200)

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class Team(models.Model):
    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=200)
    branch = models.ForeignKey(Branch, on_delete=models.PROTECT, related_name="teams")

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class Role(models.TextChoices):
    MANAGER = "manager", _("Relationship manager")
    ANALYST = "analyst", _("Credit analyst")
    RISK = "risk", _("Risk officer")
    SEGMENT = "segment", _("Segment or product manager")
    HEAD = "head", _("Head or committee")
    ADMINISTRATOR = "administrator", _("Administrator")
    AUDITOR = "auditor", _("Auditor")


class Scope(models.TextChoices):
    OWN = "own", _("Own customers")
    TEAM = "team", _("Customers of the team")
    BRANCH = "branch", _("Customers of the branch")
    ALL = "all", _("All customers")


class Theme(models.TextChoices):
    AUTO = "auto", _("As the device")
    LIGHT = "light", _("Light")
    DARK = "dark", _("Dark")


class MoneyUnit(models.TextChoices):
    """The unit that amounts of yuan are shown in; empty is the usual one of the language."""

    USUAL = "", _("Usual for the language")
    YUAN = "yuan", _("yuan")
    THOUSAND = "thousand", _("thousand yuan")
    TEN_THOUSAND = "ten_thousand", _("ten thousand yuan")
    MILLION = "million", _("million yuan")
    HUNDRED_MILLION = "hundred_million", _("hundred million yuan")


class RowsPerPage(models.IntegerChoices):
    FEW = 25, "25"
    USUAL = 50, "50"
    MANY = 100, "100"


class User(AbstractUser):
    role = models.CharField(_("role"), max_length=20, choices=Role, default=Role.MANAGER)
    scope = models.CharField(_("data scope"), max_length=10, choices=Scope, default=Scope.OWN)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, blank=True, related_name="users")
    branch = models.ForeignKey(Branch, on_delete=models.PROTECT, null=True, blank=True, related_name="users")
    language = models.CharField(max_length=10, blank=True)
    theme = models.CharField(max_length=10, choices=Theme, default=Theme.AUTO)
    money_unit = models.CharField(max_length=20, choices=MoneyUnit, default=MoneyUnit.USUAL, blank=True)
    rows_per_page = models.PositiveSmallIntegerField(choices=RowsPerPage, default=RowsPerPage.USUAL)
    must_change_password = models.BooleanField(default=False)  # somebody else knows it
    sessions_ended = models.PositiveIntegerField(default=0)  # part of every session's hash: one more ends them all
    oidc_subject = models.CharField(max_length=255, null=True, blank=True, unique=True)  # issuer and subject

    class Meta(AbstractUser.Meta):
        constraints = [
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="user_role_known"),
            models.CheckConstraint(condition=models.Q(scope__in=Scope.values), name="user_scope_known"),
        ]

    def __str__(self) -> str:
        return self.get_full_name() or self.username

    @property
    def actor_key(self) -> str:
        return f"user:{self.username}"

    def get_session_auth_hash(self) -> str:
        """A session ends when the password changes, or when its person ends all sessions."""
        return f"{super().get_session_auth_hash()}.{self.sessions_ended}"


class Totp(models.Model):
    """The secret behind a person's one-time codes, encrypted. It counts once a first code has proved it."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="totp", primary_key=True)
    secret = models.CharField(max_length=300)
    confirmed_at = models.DateTimeField(null=True)
    last_step = models.BigIntegerField(default=0)  # a code counts once

    def __str__(self) -> str:
        return f"{self.user_id}"


class RecoveryCode(models.Model):
    """A code for who has lost the device, kept as a hash; it opens once."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="recovery_codes")
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "digest"], name="recovery_code_once")]

    def __str__(self) -> str:
        return f"{self.user_id}"


class SavedView(models.Model):
    """A list as one person likes to see it: its filters and its order, under a name of their own."""

    owner = models.ForeignKey(User, on_delete=models.CASCADE, related_name="saved_views")
    page = models.CharField(max_length=40)  # the name of the page's address
    name = models.CharField(max_length=80)
    query = models.CharField(max_length=1000, blank=True)  # the address's parameters, without the place in the pages

    class Meta:
        ordering = ["name", "id"]
        constraints = [models.UniqueConstraint(fields=["owner", "page", "name"], name="saved_view_once")]

    def __str__(self) -> str:
        return self.name


class ApiToken(models.Model):
    """A key with which a program reads as a person, within that person's scope. Only its hash is kept."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=80)
    digest = models.CharField(max_length=64, unique=True)
    made_at = models.DateTimeField()
    expires_on = models.DateField()

    class Meta:
        ordering = ["user", "id"]
        constraints = [models.UniqueConstraint(fields=["user", "name"], name="api_token_once")]

    def __str__(self) -> str:
        return f"{self.user_id} {self.name}"


class FailedSignIn(models.Model):
    """How often a name was tried in vain, known or not; it locks for a while, then counts again."""

    name = models.CharField(max_length=150, unique=True)
    failures = models.PositiveIntegerField(default=0)
    last_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name}: {self.failures}"
