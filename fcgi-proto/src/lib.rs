//! FastCGI 1.0 records and both protocol state machines, without I/O.
