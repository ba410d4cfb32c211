"""A bare WSGI application (PEP 3333) that shows its environ as an HTML table.

What was asked for comes first, decoded as browsers encode it: ``<td id="PATH_INFO">``,
``<td id="query.NAME">``. Then the settings that Web Deploy wrote into settings.xml, and the rest of
the environ.
"""

import html
import os
import urllib.parse
import xml.etree.ElementTree

SETTINGS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "settings.xml")

STYLES = {
    "plain": "td, th { text-align: left; padding: 0.1em 1em 0.1em 0 }",
    "lined": "table { border-collapse: collapse }"
    " td, th { text-align: left; padding: 0.2em 1em; border-bottom: 1px solid #bbb }",
    "dark": "body { background: #222; color: #eee }"
    " td, th { text-align: left; padding: 0.2em 1em }",
}

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<style>body {{ font-family: sans-serif }} td {{ overflow-wrap: anywhere }} {style}</style>
</head>
<body>
<h1>{title}</h1>
{tables}
</body>
</html>
"""


def read_settings(path=SETTINGS):
    """The settings with their defaults, from the attributes of settings.xml."""
    settings = {"showEnvironment": "True", "tableStyle": "plain"}
    if os.path.exists(path):
        settings.update(xml.etree.ElementTree.parse(path).getroot().attrib)
    return settings


def decode(value):
    """A native string of PEP 3333, octets as latin-1, as the UTF-8 text that it mostly is."""
    return value.encode("latin-1").decode("utf-8", "replace")


def request_rows(environ):
    """What was asked for, for people."""
    rows = [
        ("REQUEST_METHOD", environ["REQUEST_METHOD"]),
        ("SCRIPT_NAME", decode(environ.get("SCRIPT_NAME", ""))),
        ("PATH_INFO", decode(environ.get("PATH_INFO", ""))),
        ("QUERY_STRING", environ.get("QUERY_STRING", "")),
    ]
    query = urllib.parse.parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    rows += [("query." + decode(name), ", ".join(values)) for name, values in sorted(query.items())]
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    return rows + [("body.length", str(len(body)))]


def table(caption, rows):
    """One cell a line, each value with a stable id; everything escaped."""
    lines = ["<h2>%s</h2>" % html.escape(caption), "<table>"]
    for name, value in rows:
        name = html.escape(name)
        lines.append('<tr><th>%s</th><td id="%s">%s</td></tr>' % (name, name, html.escape(value)))
    return "\n".join(lines + ["</table>"])


def application(environ, start_response):
    """The WSGI application."""
    settings = read_settings()
    request = request_rows(environ)
    tables = [
        table("Request", request),
        table("Settings", [("setting." + name, value) for name, value in sorted(settings.items())]),
    ]
    if settings["showEnvironment"].lower() == "true":
        shown = {name for name, _ in request}
        rest = [
            (name, value if isinstance(value, str) else repr(value))
            for name, value in sorted(environ.items(), key=lambda item: item[0])
            if name not in shown
        ]
        tables.append(table("WSGI environ", rest))
    page = PAGE.format(
        title="It works: Python under FastCGI",
        style=STYLES.get(settings["tableStyle"], STYLES["plain"]),
        tables="\n".join(tables),
    )
    # A value may hold octets that are no text; the page must be sent all the same.
    body = page.encode("utf-8", "replace")
    headers = [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", str(len(body)))]
    start_response("200 OK", headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


if __name__ == "__main__":
    from wsgiref.simple_server import make_server

    with make_server("127.0.0.1", 8000, application) as server:
        print("http://127.0.0.1:8000/ until Ctrl-C")
        server.serve_forever()
