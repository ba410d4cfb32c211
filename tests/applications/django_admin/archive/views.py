"""Pages beside the admin site."""

from django.core.files.storage import default_storage
from django.http import FileResponse


def download(request, name):
    """An uploaded file, which WSGI's file wrapper sends."""
    return FileResponse(default_storage.open(name))
