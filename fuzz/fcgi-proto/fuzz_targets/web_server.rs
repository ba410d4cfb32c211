//! See `fcgi_proto_fuzz::web_server`.

#![no_main]

use fcgi_proto_fuzz::{Input, web_server};

libfuzzer_sys::fuzz_target!(|octets: &[u8]| web_server::check(&Input::new(octets)));
