"""A Django project for the tests behind every Web server: the admin site, and files that are uploaded with it."""
