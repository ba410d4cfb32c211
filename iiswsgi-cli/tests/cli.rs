//! The command line as a person sees it: help texts and diagnostics, compared with the files in `cmd`.
//!
//! `TRYCMD=overwrite cargo test -p iiswsgi-cli --test cli` writes what the command says now.

#[test]
fn what_the_command_says() {
    trycmd::TestCases::new()
        .env("NO_COLOR", "1")
        .env("COLUMNS", "100")
        .case("tests/cmd/*.trycmd");
}
