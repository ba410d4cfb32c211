//! A listening Unix socket and its file.

use std::fs::Permissions;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixListener, UnixStream};

use camino::{Utf8Path, Utf8PathBuf};

use super::owner::Owner;
use super::transport::{Listener, Transport, accepted};
use super::web_server_addrs::WebServerAddrs;
use crate::Error;

/// A Unix socket on which Web servers connect. Its file is removed when this is dropped.
#[derive(Debug)]
pub struct UnixSocket {
    listener: UnixListener,
    allowed: WebServerAddrs,
    /// Path, device and inode of the file that we made.
    file: Option<(Utf8PathBuf, u64, u64)>,
}

impl UnixSocket {
    /// Listens on the socket file `path`, with the permissions `mode` (as of chmod, e.g. `0o660`) where given, else as
    /// the umask says, and for `owner` where given, which takes the privileges that chown does.
    ///
    /// A socket file on which nobody listens, left by a process that was killed, is replaced.
    ///
    /// # Errors
    /// [`Error::Bind`]: somebody listens there, the path is not a socket, or the operating system refuses.
    pub fn bind(
        path: &Utf8Path,
        mode: Option<u32>,
        owner: Option<Owner>,
        allowed: WebServerAddrs,
    ) -> Result<Self, Error> {
        let failed = |source| Error::Bind {
            address: format!("unix:{path}"),
            source,
        };
        remove_stale(path).map_err(failed)?;
        let listener = UnixListener::bind(path).map_err(failed)?;
        let socket = Self::listening(listener, allowed, path).map_err(failed)?;
        if let Some(Owner { uid, gid }) = owner {
            fs_err::os::unix::fs::chown(path, uid, gid).map_err(failed)?;
        }
        if let Some(mode) = mode {
            fs_err::set_permissions(path, Permissions::from_mode(mode)).map_err(failed)?;
        }
        Ok(socket)
    }

    fn listening(
        listener: UnixListener,
        allowed: WebServerAddrs,
        path: &Utf8Path,
    ) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let metadata = fs_err::symlink_metadata(path)?;
        let file = Some((path.to_owned(), metadata.dev(), metadata.ino()));
        Ok(Self {
            listener,
            allowed,
            file,
        })
    }

    /// Takes a socket that listens already; its file belongs to whoever made it.
    pub(super) fn inherited(fd: OwnedFd, allowed: WebServerAddrs) -> io::Result<Self> {
        let listener = UnixListener::from(fd);
        listener.set_nonblocking(true)?;
        Ok(Self {
            listener,
            allowed,
            file: None,
        })
    }
}

/// Removes a socket file on which nobody listens.
fn remove_stale(path: &Utf8Path) -> io::Result<()> {
    let metadata = match fs_err::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if !metadata.file_type().is_socket() {
        return Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            "there is a file of another kind, which is left alone",
        ));
    }
    match UnixStream::connect(path) {
        Ok(_) => Err(io::Error::new(
            io::ErrorKind::AddrInUse,
            "another process listens there",
        )),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs_err::remove_file(path),
        Err(error) => Err(error),
    }
}

impl Drop for UnixSocket {
    fn drop(&mut self) {
        if let Some((path, device, inode)) = &self.file {
            // The next process may have put its own socket there meanwhile.
            let ours = fs_err::symlink_metadata(path)
                .is_ok_and(|found| (found.dev(), found.ino()) == (*device, *inode));
            if ours && let Err(error) = fs_err::remove_file(path) {
                tracing::warn!(%error, "the socket file is left behind");
            }
        }
    }
}

impl AsFd for UnixSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}

impl Listener for UnixSocket {
    fn accept(&self) -> io::Result<Option<Box<dyn Transport>>> {
        let Some((stream, _)) = accepted(self.listener.accept())? else {
            return Ok(None);
        };
        if !self.allowed.allow(None) {
            tracing::warn!(
                "connection refused: FCGI_WEB_SERVER_ADDRS is set and this one has no IP address"
            );
            return Ok(None);
        }
        Ok(Some(Box::new(stream)))
    }

    fn describe(&self) -> String {
        if let Some((path, ..)) = &self.file {
            return format!("unix:{path}");
        }
        let address = self.listener.local_addr().ok();
        let path = address
            .as_ref()
            .and_then(|address| address.as_pathname())
            .map(|path| path.display().to_string());
        path.map_or_else(
            || "unix socket without a name".to_owned(),
            |path| format!("unix:{path}"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(folder.path().join("s.sock")).unwrap();
        (folder, path)
    }

    #[test]
    fn a_socket_nobody_listens_on_is_replaced() {
        let (_folder, path) = scratch();
        // Dropping std's listener leaves the file, as a killed process does.
        drop(UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        let socket = UnixSocket::bind(&path, Some(0o600), None, WebServerAddrs::any()).unwrap();
        assert_eq!(
            fs_err::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert_eq!(socket.describe(), format!("unix:{path}"));
        drop(socket);
        assert!(!path.exists());
    }

    #[test]
    fn a_socket_in_use_and_another_file_are_left_alone() {
        let (_folder, path) = scratch();
        let socket = UnixSocket::bind(&path, None, None, WebServerAddrs::any()).unwrap();
        let error = UnixSocket::bind(&path, None, None, WebServerAddrs::any()).unwrap_err();
        assert!(
            error.to_string().contains("another process listens there"),
            "{error}"
        );
        assert!(UnixStream::connect(&path).is_ok());
        drop(socket);

        fs_err::write(&path, "precious").unwrap();
        let error = UnixSocket::bind(&path, None, None, WebServerAddrs::any()).unwrap_err();
        assert!(error.to_string().contains("another kind"), "{error}");
        assert_eq!(fs_err::read_to_string(&path).unwrap(), "precious");
    }

    #[test]
    fn the_file_of_a_successor_is_not_removed() {
        let (_folder, path) = scratch();
        let socket = UnixSocket::bind(&path, None, None, WebServerAddrs::any()).unwrap();
        fs_err::rename(&path, path.with_extension("old")).unwrap();
        let _successor = UnixListener::bind(&path).unwrap();
        drop(socket);
        assert!(path.exists());
    }

    #[test]
    fn a_list_of_web_servers_bars_unix_sockets() {
        let (_folder, path) = scratch();
        let socket = UnixSocket::bind(
            &path,
            None,
            None,
            WebServerAddrs::parse("127.0.0.1").unwrap(),
        )
        .unwrap();
        let _client = UnixStream::connect(&path).unwrap();
        assert!(socket.accept().unwrap().is_none());
    }
}
