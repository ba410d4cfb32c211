"""The first tables."""

from django.db import migrations, models


class Migration(migrations.Migration):
    """Makes the table of pages."""

    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="Page",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("path", models.CharField(max_length=200, unique=True)),
                ("visits", models.PositiveBigIntegerField(default=0)),
            ],
        ),
    ]
