//! See `iis_config_fuzz::config_edit`.

#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| iis_config_fuzz::config_edit::check(octets));
