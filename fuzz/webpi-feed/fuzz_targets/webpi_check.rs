//! See `webpi_feed_fuzz::check`.

#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| webpi_feed_fuzz::check::check(octets));
