//! `appcmd.exe`: argument vectors for it, and its answers.
//!
//! *Getting Started with AppCmd.exe* in Microsoft's IIS documentation. Running the program is the caller's part: each
//! vector holds one element for each argument, to be passed without a shell.

mod arguments;
mod escape;
mod output;

pub use arguments::Appcmd;
pub use escape::{escape, unescape};
pub use output::{Answer, Object, parse_answer};
