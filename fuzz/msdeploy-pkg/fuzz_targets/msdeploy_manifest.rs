//! See `msdeploy_pkg_fuzz::manifest`.

#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| msdeploy_pkg_fuzz::manifest::check(octets));
