//! See `iis_config_fuzz::schema`.

#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| iis_config_fuzz::schema::check(octets));
