//! See `msdeploy_pkg_fuzz::provider_options`.

#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| msdeploy_pkg_fuzz::provider_options::check(octets));
