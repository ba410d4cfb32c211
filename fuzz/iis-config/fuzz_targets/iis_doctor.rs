//! See `iis_config_fuzz::doctor`.

#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| iis_config_fuzz::doctor::check(octets));
