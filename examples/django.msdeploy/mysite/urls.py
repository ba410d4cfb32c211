"""Which address is which page."""

from django.urls import path

from visits import views

urlpatterns = [path("", views.index), path("about/", views.about)]
