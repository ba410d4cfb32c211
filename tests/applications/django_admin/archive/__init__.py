"""Documents with a file each. There are no migrations: `manage.py migrate --run-syncdb` makes the table."""
