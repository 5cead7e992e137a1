"""One line for one transaction. Each line carries the hash of the one before it; that hash is unique, so the
chain cannot fork; nothing here is ever changed or deleted.
"""

from django.db import models

GENESIS = "0" * 64


class AuditLine(models.Model):
    at = models.DateTimeField()
    actor = models.CharField(max_length=200)
    action = models.CharField(max_length=100)
    subject = models.CharField(max_length=300, blank=True)
    detail = models.TextField()  # canonical JSON: what was written, with digests
    prev_hash = models.CharField(max_length=64, unique=True)
    hash = models.CharField(max_length=64, unique=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.actor} {self.action} {self.subject}"


class AuditHead(models.Model):
    """The one row that names the last line; locked last before commit, so that writers queue and never fail."""

    hash = models.CharField(max_length=64, default=GENESIS)
    lines = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="audit_one_head")]

    def __str__(self) -> str:
        return f"{self.lines} {self.hash}"
