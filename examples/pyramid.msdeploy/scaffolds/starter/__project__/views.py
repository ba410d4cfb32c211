"""The pages."""

import html

from pyramid.response import Response
from pyramid.view import notfound_view_config, view_config

PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title><link rel="stylesheet" href="{style}"></head>
<body><h1 id="title">{title}</h1>
<p>{text}</p>
</body>
</html>
"""


def page(request, title, text, status=200):
    """A page; the title is escaped, the text is HTML."""
    style = request.static_url("{{project}}:static/style.css")
    return Response(
        PAGE.format(title=html.escape(title), text=text, style=html.escape(style)), status=status
    )


@view_config(route_name="home")
def home(request):
    """The first page."""
    link = html.escape(request.route_url("hello", name="Pyramid"))
    return page(
        request, "{{project}}", 'This is a Pyramid project. Say <a href="%s">hello</a>.' % link
    )


@view_config(route_name="hello")
def hello(request):
    """A page with a part of its address."""
    return page(request, "Hello, %s" % request.matchdict["name"], "The name came from the address.")


@notfound_view_config(append_slash=True)
def not_found(request):
    """Every other address."""
    return page(
        request, "Not found", "There is no page %s." % html.escape(request.path), status=404
    )
