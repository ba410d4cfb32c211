//! See `msdeploy_pkg_fuzz::archive_xml`.

#![no_main]

libfuzzer_sys::fuzz_target!(|octets: &[u8]| msdeploy_pkg_fuzz::archive_xml::check(octets));
