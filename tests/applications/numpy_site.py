"""A WSGI application on an extension module that does not support sub-interpreters and works without the GIL."""

import sys

import numpy

VERSION = "%d.%d" % sys.version_info[:2]


def application(environ, start_response):
    """The trace of a product of matrices, of which the query says the seed and which every process computes alike."""
    generator = numpy.random.default_rng(int(environ["QUERY_STRING"]))
    matrix = generator.integers(0, 100, size=(120, 120)).astype(numpy.float64)
    trace = numpy.trace(matrix @ numpy.identity(120) @ matrix.T)
    start_response("200 OK", [("Content-Type", "text/plain")])
    # The trace of A times its transpose is the sum of the squares.
    outcome = "right" if trace == (matrix**2).sum() else "wrong"
    return [f"{outcome} in {VERSION}".encode()]
