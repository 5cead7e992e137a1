"""Legal persons: who they are, who manages them, to whom they belong, for whom they answer."""

from django.conf import settings
from django.db import models

from kequn.apps.accounts.models import Branch, Team


class Recorded(models.Model):
    """A row that an import made or changed, so that the import can be undone."""

    made_by = models.BigIntegerField(null=True, editable=False)  # the batch that first wrote the row
    changed_by = models.BigIntegerField(null=True, editable=False)  # the batch that last wrote it

    class Meta:
        abstract = True


class Group(Recorded):
    code = models.CharField(max_length=80, unique=True)
    name = models.CharField(max_length=300)

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return self.name


class Customer(Recorded):
    code = models.CharField(max_length=80, unique=True)
    name = models.CharField(max_length=300)
    short_name = models.CharField(max_length=100, blank=True)
    uscc = models.CharField(max_length=18, null=True, unique=True)  # unified social credit code, GB 32100
    country = models.CharField(max_length=2, blank=True)
    province = models.CharField(max_length=12, blank=True)
    industry_code = models.CharField(max_length=8, blank=True)
    group = models.ForeignKey(Group, on_delete=models.PROTECT, null=True, related_name="customers")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="customers")
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, related_name="customers")
    branch = models.ForeignKey(Branch, on_delete=models.PROTECT, null=True, related_name="customers")
    made_at = models.DateTimeField()

    class Meta:
        ordering = ["code"]
        indexes = [
            models.Index(fields=["name", "id"], name="customer_by_name"),
            models.Index(fields=["owner", "name", "id"], name="customer_by_owner"),
            models.Index(fields=["team", "name", "id"], name="customer_by_team"),
            models.Index(fields=["branch", "name", "id"], name="customer_by_branch"),
        ]

    def __str__(self) -> str:
        return self.name


class Identifier(Recorded):
    """How a source calls a customer; one source never gives the same name to two."""

    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="identifiers")
    source = models.CharField(max_length=60)
    value = models.CharField(max_length=120)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "value"], name="identifier_once")]

    def __str__(self) -> str:
        return f"{self.source}:{self.value}"


class Ownership(Recorded):
    """Who owns or controls a customer, by how much, from when to when; kin of the owners stand here too."""

    parent = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="holdings")
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="owners")
    relation = models.CharField(max_length=12)  # ownership, control, family
    share = models.DecimalField(max_digits=9, decimal_places=8, null=True)  # a fraction of 1
    from_date = models.DateField()  # 1900-01-01 where the source does not say
    to_date = models.DateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["parent", "customer", "relation", "from_date"], name="ownership_once"),
            models.CheckConstraint(
                condition=models.Q(share__isnull=True) | models.Q(share__gte=0, share__lte=1),
                name="ownership_share_in_0_1",
            ),
            models.CheckConstraint(condition=~models.Q(parent=models.F("customer")), name="owner_is_another"),
        ]

    def __str__(self) -> str:
        return f"{self.parent_id} {self.relation} {self.customer_id}"


class Contact(Recorded):
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="contacts")
    contact_name = models.CharField(max_length=200)
    position = models.CharField(max_length=200, blank=True)
    phone = models.CharField(max_length=60, blank=True)
    email = models.CharField(max_length=254, blank=True)
    language = models.CharField(max_length=10, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["customer", "contact_name"], name="contact_once")]

    def __str__(self) -> str:
        return self.contact_name


class Guarantee(Recorded):
    """Who answers for whose debt, up to how much (integer minor units of the currency)."""

    guarantor = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="guarantees_given")
    customer = models.ForeignKey(Customer, on_delete=models.CASCADE, related_name="guarantees_received")
    amount = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3)
    from_date = models.DateField()
    to_date = models.DateField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["guarantor", "customer", "from_date"], name="guarantee_once"),
            models.CheckConstraint(condition=~models.Q(guarantor=models.F("customer")), name="guarantee_of_another"),
        ]

    def __str__(self) -> str:
        return f"{self.guarantor_id} -> {self.customer_id}"
