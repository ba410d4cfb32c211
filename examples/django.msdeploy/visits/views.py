"""The pages."""

import django
from django.conf import settings
from django.shortcuts import render
from django.utils import timezone, translation

from visits.models import Page


def index(request):
    """The first page: it counts its visits."""
    context = {
        "visits": Page.visit("/"),
        "language": translation.get_language(),
        "debug": settings.DEBUG,
        "now": timezone.now(),
    }
    return render(request, "visits/index.html", context)


def about(request):
    """What is running."""
    context = {"version": django.get_version(), "visits": Page.visit("/about/")}
    return render(request, "visits/about.html", context)
