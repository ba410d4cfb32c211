//! See `fcgi_proto_fuzz::application`.

#![no_main]

use fcgi_proto_fuzz::{Input, application};

libfuzzer_sys::fuzz_target!(|octets: &[u8]| application::check(&Input::new(octets)));
