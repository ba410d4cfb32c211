//! See `fcgi_proto_fuzz::name_values`.

#![no_main]

use fcgi_proto_fuzz::{Input, name_values};

libfuzzer_sys::fuzz_target!(|octets: &[u8]| name_values::check(&Input::new(octets)));
