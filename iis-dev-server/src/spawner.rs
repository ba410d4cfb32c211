//! The thread that starts processes.
//!
//! Linux ties a child's parent-death signal to the *thread* that forked it, and a runtime's threads come and go. So one
//! thread starts all processes and lives as long as the server does.

use std::io;
use std::sync::mpsc;

use tokio::process::{Child, Command};
use tokio::sync::oneshot;

/// A handle to the thread. The thread ends when the last handle is dropped.
#[derive(Clone, Debug)]
pub(crate) struct Spawner {
    jobs: mpsc::Sender<Job>,
}

struct Job {
    command: Command,
    reply: oneshot::Sender<io::Result<Child>>,
}

impl Spawner {
    /// Starts the thread. Must be called inside a tokio runtime, which then watches the processes.
    pub(crate) fn start() -> io::Result<Self> {
        let (jobs, receiver) = mpsc::channel::<Job>();
        let runtime = tokio::runtime::Handle::current();
        std::thread::Builder::new()
            .name("process-spawner".to_owned())
            .spawn(move || {
                let _entered = runtime.enter();
                for mut job in receiver {
                    let child = job.command.spawn();
                    // Dropping the command closes our copies of the descriptors that the child was given.
                    drop(job.command);
                    // A requester that has left drops the child, which kills it (`kill_on_drop`).
                    let _requester_left = job.reply.send(child);
                }
            })?;
        Ok(Self { jobs })
    }

    /// Starts a process.
    pub(crate) async fn spawn(&self, mut command: Command) -> io::Result<Child> {
        command.kill_on_drop(true);
        let (reply, child) = oneshot::channel();
        let stopped = || io::Error::other("the server is stopping");
        self.jobs
            .send(Job { command, reply })
            .map_err(|_| stopped())?;
        child.await.map_err(|_| stopped())?
    }
}
