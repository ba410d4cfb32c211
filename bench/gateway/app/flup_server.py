"""flup's server for one request at a time, on the socket that the first argument names."""

import sys

from application import application
from flup.server.fcgi_single import WSGIServer

WSGIServer(application, bindAddress=sys.argv[1]).run()
