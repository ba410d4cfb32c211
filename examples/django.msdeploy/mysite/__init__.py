"""The project: its settings, its addresses, its WSGI application."""
