"""The responder that `iiswsgi-conformance --help` describes, as a WSGI application; as a program, over flup."""


def application(environ, start_response):
    body = b""
    if "ECHO_EARLY" not in environ:
        # PEP 3333: no more than CONTENT_LENGTH octets are the body.
        length = int(environ.get("CONTENT_LENGTH") or 0)
        while len(body) < length:
            piece = environ["wsgi.input"].read(length - len(body))
            if not piece:
                break
            body += piece
    if "ECHO_STDERR" in environ:
        environ["wsgi.errors"].write(environ["ECHO_STDERR"])
        environ["wsgi.errors"].flush()
    lines = [
        "%s=%s\n" % (name, value.encode("latin-1").hex())
        for name, value in environ.items()
        if isinstance(value, str) and "." not in name
    ]
    page = "".join(lines).encode("latin-1") + b"STDIN %d\n" % len(body) + body
    features = environ.get("conformance.features", "stderr early")
    start_response("200 OK", [("Content-Type", "text/plain"), ("X-FastCGI-Echo", features)])
    return [page]


if __name__ == "__main__":
    from flup.server.fcgi import WSGIServer

    WSGIServer(application, umask=None, debug=False).run()
