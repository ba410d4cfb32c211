//! See `msdeploy_pkg_fuzz::package`.

#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| msdeploy_pkg_fuzz::package::check(octets));
