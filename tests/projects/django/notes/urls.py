"""The only page."""

from django.shortcuts import render
from django.urls import path

from notes import __version__
from notes.models import Note


def index(request):
    """The notes; a POST adds one."""
    if request.method == "POST":
        Note.objects.create(text=request.body.decode())
    notes = Note.objects.order_by("id").values_list("text", flat=True)
    return render(request, "notes.html", {"version": __version__, "notes": notes})


urlpatterns = [path("", index)]
