"""What is stored."""

from django.db import models, transaction


class Page(models.Model):
    """A page and how often it was visited."""

    path = models.CharField(max_length=200, unique=True)
    visits = models.PositiveBigIntegerField(default=0)

    @classmethod
    def visit(cls, path):
        """Counts one more visit; returns how many there were."""
        pages = cls.objects.filter(path=path)
        # Writing comes first: SQLite lets a transaction that begins with reading fail when another one writes meanwhile. The
        # database adds, not this process: another one may be counting at the same time.
        with transaction.atomic():
            if not pages.update(visits=models.F("visits") + 1):
                cls.objects.create(path=path, visits=1)
            return pages.get().visits

    def __str__(self):
        return self.path
