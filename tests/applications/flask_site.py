"""A Flask application for the tests behind every Web server: routes, a session, JSON, uploads and streaming."""

import hashlib

from flask import Flask, Response, jsonify, redirect, request, session, stream_with_context, url_for

application = Flask(__name__)
# The tests compare answers of several processes, which must be able to read each other's sessions.
application.secret_key = "only for the tests"


@application.get("/")
def index():
    return "Flask answers"


@application.get("/hello/<name>")
def hello(name):
    return jsonify(name=name, query=request.args.to_dict(flat=False))


@application.post("/sum")
def add():
    return jsonify(sum=sum(request.get_json()))


@application.get("/visit")
def visit():
    session["visits"] = session.get("visits", 0) + 1
    return str(session["visits"])


@application.get("/away")
def away():
    return redirect(url_for("hello", name="J\u00fcrgen"))


@application.post("/upload")
def upload():
    file = request.files["file"]
    content = file.read()
    return f"{request.form['title']}: {file.filename} {len(content)} {hashlib.sha1(content).hexdigest()}"


@application.get("/stream")
def stream():
    """Blocks that need the request while they are made."""

    def blocks():
        for number in range(100):
            yield f"{request.args['word']} {number}\n"

    return Response(stream_with_context(blocks()), mimetype="text/plain")


@application.get("/broken")
def broken():
    raise LookupError("secret of the application")
