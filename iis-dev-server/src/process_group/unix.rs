//! Unix process groups and parent-death signals: the two calls that the standard library does not wrap.
//!
//! Every FastCGI process leads a process group of its own, so that Ctrl-C in the terminal reaches only the server, and
//! so that what a process has started ends with it.

#![expect(
    unsafe_code,
    reason = "kill(2), prctl(2) and a hook between fork(2) and exec(2) have no safe wrapper in std"
)]

use std::sync::atomic::{AtomicU32, Ordering};

use tokio::process::{Child, Command};

use super::Signal;

/// The group that a process leads.
#[derive(Debug)]
pub(crate) struct ProcessGroup {
    /// 0 before there is one.
    leader: AtomicU32,
}

impl ProcessGroup {
    /// Has the process lead a group and die with its parent.
    pub(crate) fn prepare(command: &mut Command) -> std::io::Result<Self> {
        lead_group_and_die_with_parent(command);
        Ok(Self {
            leader: AtomicU32::new(0),
        })
    }

    /// Learns which process leads.
    pub(crate) fn enclose(&self, child: &Child) -> std::io::Result<()> {
        let pid = child
            .id()
            .ok_or_else(|| std::io::Error::other("it ended at once"))?;
        self.leader.store(pid, Ordering::Relaxed);
        Ok(())
    }

    /// Signals the group. One that is gone is no error.
    pub(crate) fn signal(&self, signal: Signal) {
        signal_group(self.leader.load(Ordering::Relaxed), signal);
    }
}

/// Makes the process lead a group and, on Linux, die with the thread that starts it: the thread of
/// [`Spawner`](crate::spawner::Spawner), which lives as long as the server.
fn lead_group_and_die_with_parent(command: &mut Command) {
    command.process_group(0);
    #[cfg(target_os = "linux")]
    {
        let parent = std::process::id();
        // SAFETY: the hook runs in the child between fork and exec and calls only prctl and getppid, which are
        // async-signal-safe and touch no memory of the parent; it does not allocate or lock.
        unsafe {
            command.pre_exec(move || {
                if libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) != 0 {
                    return Err(std::io::Error::last_os_error());
                }
                // The parent may have died before the call above.
                if u32::try_from(libc::getppid()) != Ok(parent) {
                    return Err(std::io::Error::from_raw_os_error(libc::ESRCH));
                }
                Ok(())
            });
        }
    }
}

/// Signals the group that process `pid` leads. A group that is gone is no error.
fn signal_group(pid: u32, signal: Signal) {
    let Ok(group) = libc::pid_t::try_from(pid) else {
        return;
    };
    // kill(-1) would mean every process of the user, kill(0) our own group.
    if group <= 1 {
        return;
    }
    let number = match signal {
        Signal::Terminate => libc::SIGTERM,
        Signal::Kill => libc::SIGKILL,
    };
    // SAFETY: kill takes two integers and reads no memory.
    let _gone = unsafe { libc::kill(-group, number) };
}
