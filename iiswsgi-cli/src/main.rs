//! The `iiswsgi` program.
fn main() {}
