//! See `msdeploy_pkg_fuzz::parameters`.

#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| msdeploy_pkg_fuzz::parameters::check(octets));
