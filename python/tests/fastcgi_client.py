"""A FastCGI client for the tests: a Web server's side, written from the specification and not from the gateway's code."""

import socket
import struct
from typing import NamedTuple

BEGIN_REQUEST, ABORT_REQUEST, END_REQUEST, PARAMS, STDIN, STDOUT, STDERR = range(1, 8)
GET_VALUES, GET_VALUES_RESULT, UNKNOWN_TYPE = 9, 10, 11
KEEP_CONN = 1
RESPONDER, AUTHORIZER = 1, 2


class Response(NamedTuple):
    status: str
    headers: list
    body: bytes
    stderr: bytes
    app_status: int
    protocol_status: int

    def header(self, name):
        return next((value for found, value in self.headers if found.lower() == name.lower()), None)


def record(record_type, request_id, content=b"", padding=0):
    return struct.pack("!BBHHBx", 1, record_type, request_id, len(content), padding) + content + bytes(padding)


def pairs(variables):
    encoded = b""
    for name, value in variables.items():
        for text in (name, value):
            length = len(text)
            encoded += struct.pack("!B", length) if length < 128 else struct.pack("!I", length | 0x80000000)
        encoded += name + value
    return encoded


def variables(method="GET", path="/", query="", body=b"", **more):
    """What a Web server sends, as octets."""
    texts = {
        "GATEWAY_INTERFACE": "CGI/1.1",
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "REQUEST_URI": path + ("?" + query if query else ""),
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_SOFTWARE": "test",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_LENGTH": str(len(body)) if body else "",
    }
    texts.update(more)
    octets = lambda text: text if isinstance(text, bytes) else text.encode("utf-8")
    return {octets(name): octets(value) for name, value in texts.items() if value is not None}


class Connection:
    """One connection to an application."""

    def __init__(self, sock):
        self.sock = sock
        self.sock.settimeout(30)
        self.buffer = b""

    @classmethod
    def unix(cls, path):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.connect(str(path))
        return cls(sock)

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.sock.close()

    def send(self, *records):
        self.sock.sendall(b"".join(records))

    def _exactly(self, length):
        while len(self.buffer) < length:
            piece = self.sock.recv(65536)
            if not piece:
                return None
            self.buffer += piece
        taken, self.buffer = self.buffer[:length], self.buffer[length:]
        return taken

    def receive(self):
        """The next record as (type, id, content), or None at the end of the connection."""
        header = self._exactly(8)
        if header is None:
            assert not self.buffer, "the connection ends inside a record"
            return None
        version, record_type, request_id, length, padding = struct.unpack("!BBHHBx", header)
        assert version == 1
        content = self._exactly(length + padding)
        assert content is not None, "the connection ends inside a record"
        return record_type, request_id, content[:length]

    def at_end(self):
        return self.receive() is None

    def begin(self, request_id=1, flags=0, role=RESPONDER, **settings):
        """Everything of a request but its body."""
        encoded = pairs(variables(**settings))
        self.send(
            record(BEGIN_REQUEST, request_id, struct.pack("!HB5x", role, flags)),
            *(record(PARAMS, request_id, encoded[at : at + 60000]) for at in range(0, len(encoded), 60000)),
            record(PARAMS, request_id),
        )

    def request(self, request_id=1, flags=0, piece=8192, **settings):
        body = settings.get("body", b"")
        self.begin(request_id, flags, **settings)
        for at in range(0, len(body), piece):
            content = body[at : at + piece]
            self.send(record(STDIN, request_id, content, -len(content) % 8))
        self.send(record(STDIN, request_id))
        return self.response(request_id)

    def response(self, request_id=1, stdout=b""):
        """The rest of a response of which `stdout` was received already."""
        streams, ended = {STDOUT: stdout, STDERR: b""}, set()
        while True:
            received = self.receive()
            assert received is not None, "the connection ends before the request: %r" % (streams,)
            record_type, found_id, content = received
            assert found_id == request_id
            if record_type == END_REQUEST:
                app_status, protocol_status = struct.unpack("!IB3x", content)
                break
            assert record_type not in ended, "a stream goes on after its end"
            if content:
                streams[record_type] += content
            else:
                ended.add(record_type)
        if protocol_status == 0:
            assert STDOUT in ended, "STDOUT was not ended"
        if streams[STDERR]:
            assert STDERR in ended, "STDERR was not ended"
        head, _, body = streams[STDOUT].partition(b"\r\n\r\n")
        headers = [tuple(line.split(": ", 1)) for line in head.decode("latin-1").split("\r\n") if line]
        status = next((value for name, value in headers if name == "Status"), "")
        return Response(status, [header for header in headers if header[0] != "Status"], body, streams[STDERR], app_status, protocol_status)
