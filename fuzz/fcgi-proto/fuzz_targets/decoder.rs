//! See `fcgi_proto_fuzz::decoder`.

#![no_main]

use fcgi_proto_fuzz::{Input, decoder};

libfuzzer_sys::fuzz_target!(|octets: &[u8]| decoder::check(&Input::new(octets)));
