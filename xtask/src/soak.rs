//! `cargo xtask soak`: mixed load on the gateway for minutes, with an eye on failures, memory and descriptors.

use crate::run::{Result, Step};
use crate::workspace::{
    Profile, PythonEnvironment, build_wheel, install_debian_packages, root, target,
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How long
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    minutes: u64,
}

/// The load is in the crate of the end-to-end tests, as it starts the same servers.
pub(crate) fn run(args: &Args) -> Result<()> {
    install_debian_packages(&["nginx-light"])?;
    let scratch = target().join("soak");
    let environment = PythonEnvironment::make(&scratch.join("env"))?;
    environment.install(&["maturin>=1.9,<2"])?;
    let wheels = scratch.join("wheels");
    let wheel = build_wheel(&environment, &wheels, Profile::Release)?;
    environment.install(&["--force-reinstall", "--no-deps", wheel.as_str()])?;
    let seconds = args.minutes.saturating_mul(60).to_string();
    Step::new("cargo", &root())
        .args(["run", "--locked", "-p", "iiswsgi-tests", "--bin"])
        .args(["iiswsgi-soak", "--", "--seconds", seconds.as_str()])
        .var("IISWSGI_TEST_COMMAND", environment.program("iiswsgi"))
        .var("IISWSGI_TEST_WHEELS", wheels.as_str())
        .run()
}
