//! Builds the C side of the comparison with libfcgi, where it is wanted.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "libfcgi")]
    libfcgi();
}

/// libfcgi reads and writes through two functions of its own. The linker puts ours in their place, so that its parser
/// and its writer run as they are, over memory instead of a socket.
#[cfg(feature = "libfcgi")]
fn libfcgi() {
    println!("cargo::rerun-if-changed=c/libfcgi.c");
    cc::Build::new()
        .file("c/libfcgi.c")
        .opt_level(2)
        .compile("bench_libfcgi");
    println!("cargo::rustc-link-arg=-Wl,--wrap=OS_Read,--wrap=OS_Write");
    println!("cargo::rustc-link-lib=static=fcgi");
    for folder in [
        "/usr/lib/x86_64-linux-gnu",
        "/usr/lib/aarch64-linux-gnu",
        "/usr/lib",
    ] {
        println!("cargo::rustc-link-search=native={folder}");
    }
}
