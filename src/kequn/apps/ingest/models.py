"""An import, what became of each of its rows, and what is needed to undo it."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class BatchState(models.TextChoices):
    CHECKED = "checked", _("Checked only")
    STORED = "stored", _("Stored")
    REFUSED = "refused", _("Refused as a whole")
    UNDONE = "undone", _("Undone")


class ImportBatch(models.Model):
    """One unit that is stored whole or not at all. rows_read = rows_stored + rows_refused, always."""

    name = models.CharField(max_length=300)
    digest = models.CharField(max_length=64)  # of the file and of the mapping it was read by
    mapping = models.CharField(max_length=300, blank=True)
    source = models.CharField(max_length=60)  # whose identifiers the file carries
    state = models.CharField(max_length=10, choices=BatchState)
    actor = models.CharField(max_length=200)
    made_at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)
    rows_read = models.BigIntegerField(default=0)
    rows_stored = models.BigIntegerField(default=0)
    rows_refused = models.BigIntegerField(default=0)
    counts = models.JSONField(default=dict)  # outcome -> rows; table -> new, changed, unchanged
    notes = models.JSONField(default=list)  # what the reader should know of the whole file, in both languages
    findings = models.JSONField(default=list)  # why the file was refused as a whole
    sheets = models.JSONField(default=list)  # of each sheet: file, name, header and its row, three sample rows
    seconds = models.FloatField(default=0)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(rows_read=models.F("rows_stored") + models.F("rows_refused")),
                name="rows_read_are_stored_or_refused",
            )
        ]

    def __str__(self) -> str:
        return f"{self.id} {self.name}"


class Outcome(models.TextChoices):
    NEW = "new", _("New")
    CHANGED = "changed", _("Changed")
    UNCHANGED = "unchanged", _("Unchanged")
    REFUSED = "refused", _("Refused")


class RowResult(models.Model):
    """What became of one row. A refused row keeps every reason: column, found, expected, in both languages."""

    batch = models.ForeignKey(ImportBatch, on_delete=models.CASCADE, related_name="rows")
    file = models.CharField(max_length=200)
    sheet = models.CharField(max_length=100, blank=True)
    row = models.BigIntegerField()
    outcome = models.CharField(max_length=10, choices=Outcome)
    subject = models.CharField(max_length=200, blank=True)  # the customer, facility or project of the row
    findings = models.JSONField(default=list)
    warnings = models.JSONField(null=True)  # taken, but hard to believe
    changes = models.JSONField(null=True)  # of a changed row: table, field, old, new
    cells = models.JSONField(null=True)  # of a refused row, as they stood in the file

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["batch", "outcome", "id"], name="row_by_outcome")]

    def __str__(self) -> str:
        return f"{self.sheet} {self.row} {self.outcome}"


class BeforeImage(models.Model):
    """The values that a batch overwrote, so that undo can put them back."""

    batch = models.ForeignKey(ImportBatch, on_delete=models.CASCADE, related_name="before")
    table = models.CharField(max_length=60)
    row_id = models.BigIntegerField()
    values = models.JSONField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["batch", "table", "row_id"], name="before_once")]

    def __str__(self) -> str:
        return f"{self.table} {self.row_id}"


class KeptMapping(models.Model):
    """What a person said of the columns of a sheet, kept for the next file with the same header."""

    name = models.CharField(max_length=120, unique=True)
    signature = models.CharField(max_length=64, unique=True)  # of the header
    header = models.JSONField()
    document = models.JSONField()  # kind and columns, as in a mapping file
    made_by = models.CharField(max_length=200)
    made_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Upload(models.Model):
    """A file that waits for a person's answer or consent. Only who brought it may go on with it; it is aged away."""

    token = models.CharField(max_length=32, unique=True)  # its folder below the uploads
    name = models.CharField(max_length=300)  # as it came: a label only
    size = models.BigIntegerField()
    actor = models.CharField(max_length=200)
    made_at = models.DateTimeField()
    wish = models.JSONField(default=dict)  # the answers so far
    batch = models.ForeignKey(ImportBatch, on_delete=models.SET_NULL, null=True, related_name="uploads")
    job = models.BigIntegerField(null=True)  # the background work that reads it

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.name
