//! FastCGI application server and the WSGI bridge to CPython.
