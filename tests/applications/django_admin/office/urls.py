"""Which address is which page. The application serves its own static and uploaded files: there is nobody else here."""

from django.contrib import admin
from django.contrib.staticfiles.views import serve as static
from django.urls import path

from archive.views import download

urlpatterns = [
    path("admin/", admin.site.urls),
    path("static/<path:path>", static, {"insecure": True}),
    path("media/<path:name>", download),
]
