//! Stands for a program of Windows, under whose name the tests put it: `appcmd.exe`, `icacls.exe`.
//!
//! It writes the arguments that it was given, as the C runtime splits them, to `NAME.log` in the folder that
//! IISWSGI_TEST_STAND_IN names, one a line and `--` behind the last. `list WHAT` is answered with the file `WHAT.xml` of that
//! folder, and anything else with the file `answer` and exit code 1, or where there is none as one that did as it was told.

#![expect(clippy::print_stdout, reason = "this is how a program answers")]

use std::io::Write as _;
use std::process::ExitCode;

use camino::Utf8PathBuf;
use fs_err as fs;

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let mut arguments = std::env::args();
    // Not where the file is: on Unix that is what a link leads to.
    let program = Utf8PathBuf::from(arguments.next().ok_or("started without a name")?);
    let name = program.file_stem().unwrap_or_default().to_lowercase();
    let arguments: Vec<String> = arguments.collect();
    let folder = Utf8PathBuf::from(std::env::var("IISWSGI_TEST_STAND_IN")?);

    let mut record: String = arguments.iter().map(|word| format!("{word}\n")).collect();
    record.push_str("--\n");
    let mut log = fs::OpenOptions::new();
    log.append(true).create(true);
    log.open(folder.join(format!("{name}.log")))?
        .write_all(record.as_bytes())?;

    if let [verb, what, ..] = arguments.as_slice()
        && verb == "list"
    {
        print!(
            "{}",
            fs::read_to_string(folder.join(format!("{what}.xml")))?
        );
        return Ok(ExitCode::SUCCESS);
    }
    match fs::read_to_string(folder.join("answer")) {
        Ok(answer) => {
            print!("{answer}");
            Ok(ExitCode::FAILURE)
        }
        Err(_) => {
            println!("Applied configuration changes to section \"system.webServer/fastCgi\"");
            Ok(ExitCode::SUCCESS)
        }
    }
}
