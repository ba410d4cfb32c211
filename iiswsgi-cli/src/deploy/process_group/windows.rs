//! A job object, *Job Objects* <https://learn.microsoft.com/windows/win32/procthread/job-objects>.
#![expect(unsafe_code, reason = "std has no job objects")]

use std::io;
use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle};
use std::process::{Child, Command};

use windows_sys::Win32::System::JobObjects::{
    AssignProcessToJobObject, CreateJobObjectW, TerminateJobObject,
};

/// The job that a program is in, with what it starts. What is left of it when it is not ended goes on.
#[derive(Debug)]
pub(crate) struct ProcessGroup {
    job: OwnedHandle,
}

impl ProcessGroup {
    /// Starts the program in a job of its own.
    pub(crate) fn spawn(command: &mut Command) -> io::Result<(Child, Self)> {
        // SAFETY: neither attributes nor a name are given, which is allowed.
        let job = unsafe { CreateJobObjectW(std::ptr::null(), std::ptr::null()) };
        if job.is_null() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the call has just made the handle, and nothing else has it.
        let job = unsafe { OwnedHandle::from_raw_handle(job) };
        let mut child = command.spawn()?;
        // SAFETY: both handles are open as long as their owners are borrowed.
        let assigned =
            unsafe { AssignProcessToJobObject(job.as_raw_handle(), child.as_raw_handle()) };
        let error = io::Error::last_os_error();
        // A program that has ended already is in no job, and needs none.
        if assigned == 0 && child.try_wait()?.is_none() {
            child.kill()?;
            child.wait()?;
            return Err(error);
        }
        Ok((child, Self { job }))
    }

    /// Ends the program and all that it has started.
    pub(crate) fn end(&self) {
        // SAFETY: the handle is open as long as `self` is. Nothing to end is as good.
        unsafe { TerminateJobObject(self.job.as_raw_handle(), 1) };
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Read as _};
    use std::os::windows::process::CommandExt as _;
    use std::process::Stdio;

    use super::*;

    #[test]
    fn what_a_program_has_started_ends_with_it() {
        let mut command = Command::new("cmd");
        command
            .raw_arg("/c cmd /c \"echo started & pause\"")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let (mut child, group) = ProcessGroup::spawn(&mut command).unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        assert_eq!(line.trim_end(), "started");
        group.end();
        // The output ends when nobody is left who could write to it.
        output.read_to_string(&mut line).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(1));
    }
}
