//! Sockets that systemd has opened: *sd_listen_fds(3)*,
//! <https://www.freedesktop.org/software/systemd/man/latest/sd_listen_fds.html>.
//!
//! `LISTEN_FDS` says how many descriptors there are, from number 3 on, and `LISTEN_PID` for which process they are meant: a
//! program further down inherits the variables without their being meant for it. Names (`LISTEN_FDNAMES`) are not looked
//! at; with several sockets only the first is served.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};

use super::inherited::inherited;
use super::stdin_socket::{Stdin, StdinSocket, adopt, inspect};
use super::web_server_addrs::WebServerAddrs;

/// `SD_LISTEN_FDS_START`
const FIRST: i32 = 3;

/// How many descriptors systemd has opened for this process; 0 where it has not.
pub(crate) fn descriptors() -> usize {
    let variable = |name: &str| std::env::var(name).ok();
    count(&variable, std::process::id())
}

fn count(variable: &dyn Fn(&str) -> Option<String>, pid: u32) -> usize {
    let number = |name: &str| variable(name)?.parse::<u32>().ok();
    if number("LISTEN_PID") != Some(pid) {
        return 0;
    }
    usize::try_from(number("LISTEN_FDS").unwrap_or(0)).unwrap_or(0)
}

/// What the first of them is, in words.
pub(crate) fn explain(count: usize) -> String {
    let others = match count {
        0 | 1 => String::new(),
        _ => format!("; of its {count} sockets only the first is served"),
    };
    format!(
        "file descriptor {FIRST} is a socket of systemd (LISTEN_PID names this process, LISTEN_FDS is {count}): connections \
         are accepted on it{others}"
    )
}

/// Takes the first of them.
pub(crate) fn take(allowed: WebServerAddrs) -> io::Result<StdinSocket> {
    let fd = inherited(FIRST)?;
    let found = inspect(fd.as_fd());
    check(fd.as_fd())?;
    adopt(fd, found, allowed)
}

fn check(fd: BorrowedFd<'_>) -> io::Result<()> {
    match inspect(fd) {
        Stdin::Listening(_) => Ok(()),
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "systemd has handed over no listening stream socket; write ListenStream= and Accept=no in the .socket unit",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_are_taken_only_by_whom_they_are_meant_for() {
        for (pid, fds, expected) in [
            (Some("7"), Some("1"), 1),
            (Some("7"), Some("2"), 2),
            (Some("8"), Some("1"), 0),
            (None, Some("1"), 0),
            (Some("7"), None, 0),
            (Some("7"), Some("x"), 0),
            (Some("7"), Some("0"), 0),
        ] {
            let variable = |name: &str| match name {
                "LISTEN_PID" => pid.map(str::to_owned),
                _ => fds.map(str::to_owned),
            };
            assert_eq!(count(&variable, 7), expected, "{pid:?} {fds:?}");
        }
    }

    #[test]
    fn only_a_listening_socket_will_do() {
        let (one, _other) = std::os::unix::net::UnixStream::pair().unwrap();
        assert!(
            check(one.as_fd())
                .unwrap_err()
                .to_string()
                .contains("Accept=no")
        );
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        check(listener.as_fd()).unwrap();
    }
}
