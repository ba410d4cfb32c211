//! See `iis_config_fuzz::appcmd_output`.

#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| iis_config_fuzz::appcmd_output::check(octets));
