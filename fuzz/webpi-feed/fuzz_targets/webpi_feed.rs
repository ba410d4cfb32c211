//! See `webpi_feed_fuzz::feed`.

#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| webpi_feed_fuzz::feed::check(octets));
