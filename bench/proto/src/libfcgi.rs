//! The C library libfcgi over memory. See `c/libfcgi.c`.

use std::ffi::{CString, c_char, c_int};

use crate::{LOOKED_UP, REPLY, Request};

#[expect(unsafe_code, reason = "it is written in C")]
// SAFETY: the declaration is the one in `c/libfcgi.c`.
unsafe extern "C" {
    fn bench_libfcgi(
        request: *const c_char,
        request_len: usize,
        name: *const c_char,
        reply: *const c_char,
        reply_len: c_int,
        count: usize,
    ) -> usize;
}

/// libfcgi, of which there is one in a process: its state is in C.
#[derive(Debug)]
pub struct Libfcgi {
    name: CString,
}

impl Libfcgi {
    /// libfcgi in this process.
    #[must_use]
    pub fn new() -> Self {
        Self {
            name: CString::new(LOOKED_UP).unwrap_or_default(),
        }
    }

    /// Serves the request `count` times on one connection; the octets of output, or 0 for a failure.
    #[must_use]
    pub fn serve(&mut self, request: &Request, count: usize) -> usize {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_possible_wrap,
            reason = "it is 200"
        )]
        let reply_len = REPLY.len() as c_int;
        #[expect(unsafe_code, reason = "it is written in C")]
        // SAFETY: the pointers are to octets of the given lengths and to a C string, all of which outlive the call; `&mut
        // self` keeps it on one thread at a time.
        unsafe {
            bench_libfcgi(
                request.octets.as_ptr().cast(),
                request.octets.len(),
                self.name.as_ptr(),
                REPLY.as_ptr().cast(),
                reply_len,
                count,
            )
        }
    }
}

impl Default for Libfcgi {
    fn default() -> Self {
        Self::new()
    }
}
