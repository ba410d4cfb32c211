"""Counts the visits to pages."""
