"""What the admin site shows."""

from django.contrib import admin

from archive.models import Document

admin.site.register(Document, list_display=["title", "file"])
