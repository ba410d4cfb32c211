"""What is stored."""

from django.db import models, transaction


class Page(models.Model):
    """A page and how often it was visited."""

    path = models.CharField(max_length=200, unique=True)
    visits = models.PositiveBigIntegerField(default=0)

    @classmethod
    def visit(cls, path):
        """Counts one more visit; returns how many there were."""
        with transaction.atomic():
            page, _ = cls.objects.get_or_create(path=path)
            # The database adds, not this process: another one may be counting at the same time.
            cls.objects.filter(pk=page.pk).update(visits=models.F("visits") + 1)
            page.refresh_from_db()
        return page.visits

    def __str__(self):
        return self.path
