"""flipflop on the socket that the first argument names, handed over on file descriptor 0 as it wants it."""

import os
import socket
import sys

from application import application
from flipflop import WSGIServer

listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen(128)
os.dup2(listener.fileno(), 0)
WSGIServer(application).run()
