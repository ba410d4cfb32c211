"""Notes that are kept with SQLite and shown with Flask."""

import contextlib
import sqlite3
from pathlib import Path

import flask
import markupsafe._speedups  # noqa: F401 (the compiled part: the site does not start without it)

from notes import __version__

DATABASE = Path(__file__).resolve().parent.parent / "notes.sqlite3"

application = flask.Flask("notes")


def ask(statement, *values):
    """What a statement gives."""
    with contextlib.closing(sqlite3.connect(DATABASE, timeout=20)) as connection, connection:
        connection.execute("create table if not exists note (text)")
        return [row[0] for row in connection.execute(statement, values)]


@application.route("/", methods=["GET", "POST"])
def index():
    """The notes; a POST adds one."""
    if flask.request.method == "POST":
        ask("insert into note values (?)", flask.request.get_data(as_text=True))
    notes = ask("select text from note order by rowid")
    return flask.render_template("notes.html", version=__version__, notes=notes)
