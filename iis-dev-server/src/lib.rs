//! A local stand-in for IIS: HTTP in front of the FastCGI processes that an IIS configuration names.
