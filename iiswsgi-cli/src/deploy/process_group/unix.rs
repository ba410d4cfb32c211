//! A process group.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command};

use rustix::process::{Pid, Signal, kill_process_group};

/// The group that a program leads.
#[derive(Debug)]
pub(crate) struct ProcessGroup {
    leader: Option<Pid>,
}

impl ProcessGroup {
    /// Starts the program as the leader of a group of its own.
    pub(crate) fn spawn(command: &mut Command) -> io::Result<(Child, Self)> {
        let child = command.process_group(0).spawn()?;
        let leader = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        Ok((child, Self { leader }))
    }

    /// Ends all that the program has started; the program itself is ended by its own means.
    pub(crate) fn end(&self) {
        if let Some(leader) = self.leader {
            // Nothing to end is as good.
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }
}
