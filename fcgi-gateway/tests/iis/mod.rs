//! A process as IIS starts it: a named pipe as its standard input, no other standard streams, and an event that tells it to end.

use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle};
use std::sync::atomic::{AtomicU32, Ordering};

use camino::{Utf8Path, Utf8PathBuf};
use fs_err::File;
use windows_sys::Win32::Foundation::{
    ERROR_PIPE_BUSY, HANDLE, INVALID_HANDLE_VALUE, WAIT_OBJECT_0,
};
use windows_sys::Win32::Security::SECURITY_ATTRIBUTES;
use windows_sys::Win32::Storage::FileSystem::{FILE_FLAG_OVERLAPPED, PIPE_ACCESS_DUPLEX};
use windows_sys::Win32::System::Pipes::{
    CreateNamedPipeW, NMPWAIT_WAIT_FOREVER, PIPE_TYPE_BYTE, PIPE_WAIT, WaitNamedPipeW,
};
use windows_sys::Win32::System::Threading::{
    CREATE_UNICODE_ENVIRONMENT, CreateEventW, CreateProcessW, DETACHED_PROCESS, GetExitCodeProcess,
    INFINITE, PROCESS_INFORMATION, STARTF_USESTDHANDLES, STARTUPINFOW, SetEvent, TerminateProcess,
    WaitForSingleObject,
};

use crate::web_server::Client;

/// Handles of both kinds: nobody has said which one IIS makes.
pub(crate) const KINDS: [u32; 2] = [0, FILE_FLAG_OVERLAPPED];

/// How a process is started.
pub(crate) struct Start<'a> {
    /// 0 or `FILE_FLAG_OVERLAPPED`.
    pub(crate) kind: u32,
    /// Whether the Web server connects before the process is started, and names the pipe, as IIS does.
    pub(crate) connects: bool,
    /// Whether somebody connects and leaves before the process is started.
    pub(crate) has_visitor: bool,
    /// What is written to the environment in place of the event's handle.
    pub(crate) event: Option<&'a str>,
    /// The handle for standard output and standard error.
    pub(crate) output: HANDLE,
    /// Further variables.
    pub(crate) variables: &'a [(&'a str, &'a str)],
    /// Where the process listens instead of on its standard input.
    pub(crate) address: Option<&'a str>,
}

impl Start<'_> {
    pub(crate) const fn of(kind: u32) -> Self {
        Self {
            kind,
            connects: true,
            has_visitor: false,
            event: None,
            output: INVALID_HANDLE_VALUE,
            variables: &[],
            address: None,
        }
    }
}

/// A process and what its parent has of it.
pub(crate) struct Process {
    pub(crate) client: Option<Client<File>>,
    name: String,
    process: OwnedHandle,
    event: OwnedHandle,
    folder: tempfile::TempDir,
}

impl Process {
    pub(crate) fn start(start: &Start<'_>) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::SeqCst);
        let pid = std::process::id();
        let name = format!(r"\\.\pipe\fcgi-gateway-test-{pid}-{number}");
        let pipe = make_pipe(&name, start.kind);
        if start.has_visitor {
            drop(open(&name).unwrap());
        }
        let client = start.connects.then(|| Client::new(open(&name).unwrap()));
        let inherited = inherited();
        // SAFETY: the attributes live until the call returns; the name may be null.
        let event = unsafe { CreateEventW(&raw const inherited, 1, 0, std::ptr::null()) };
        assert!(!event.is_null());
        let value = event.addr().to_string();
        // SAFETY: the call above has made the handle.
        let event = unsafe { OwnedHandle::from_raw_handle(event) };
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log").display().to_string();
        let mut variables = vec![
            ("_FCGI_SHUTDOWN_EVENT_", start.event.unwrap_or(&value)),
            ("WSGI_LOG", &log),
        ];
        variables.extend(start.connects.then_some(("_FCGI_X_PIPE_", name.as_str())));
        variables.extend(start.variables);
        let mut command = format!("\"{}\"", program());
        command.extend(start.address.into_iter().flat_map(|address| [" ", address]));
        let handles = [pipe.as_raw_handle(), start.output, start.output];
        let process = create(&command, handles, &variables);
        Self {
            client,
            name,
            process,
            event,
            folder,
        }
    }

    /// What the pipe is called.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Connects to a process to which nobody is connected.
    pub(crate) fn connect(&self) -> Client<File> {
        let file = open(&self.name).unwrap_or_else(|error| panic!("{error}: {}", self.log()));
        Client::new(file)
    }

    pub(crate) fn client(&mut self) -> &mut Client<File> {
        self.client.as_mut().unwrap()
    }

    pub(crate) fn echo(&mut self, body: &[u8]) {
        echo(self.client(), body);
    }

    /// Asks for a path of the example.
    pub(crate) fn get(&mut self, path: &str) -> crate::web_server::Answer {
        self.client().request(true, &[("PATH_INFO", path)], b"")
    }

    pub(crate) fn tell_to_end(&self) {
        // SAFETY: the handle is open as long as `self` is.
        assert_ne!(unsafe { SetEvent(self.event.as_raw_handle()) }, 0);
    }

    /// Waits for the end of the process, and says how it has ended and what is in its log.
    pub(crate) fn end(&self) -> (u32, String) {
        let mut code = 0;
        // SAFETY: the handle is open as long as `self` is, and the number lives until the call returns.
        unsafe {
            let waited = WaitForSingleObject(self.process.as_raw_handle(), INFINITE);
            assert_eq!(waited, WAIT_OBJECT_0);
            assert_ne!(
                GetExitCodeProcess(self.process.as_raw_handle(), &raw mut code),
                0
            );
        }
        (code, self.log())
    }

    /// Leaves, and waits for the end of the process.
    pub(crate) fn leave(&mut self) -> (u32, String) {
        self.client = None;
        self.end()
    }

    pub(crate) fn log(&self) -> String {
        let path = self.folder.path().join("log");
        fs_err::read_to_string(Utf8Path::from_path(&path).unwrap()).unwrap_or_default()
    }

    /// Waits until the log has this text, or the process has ended.
    pub(crate) fn wait_for_log(&self, text: &str) {
        while !self.log().contains(text) {
            // SAFETY: the handle is open as long as `self` is.
            let ended = unsafe { WaitForSingleObject(self.process.as_raw_handle(), 5) };
            assert!(
                ended != WAIT_OBJECT_0 || self.log().contains(text),
                "{}",
                self.log()
            );
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // SAFETY: the handle is open; a process that has ended is none that can be ended, which does no harm.
        unsafe { TerminateProcess(self.process.as_raw_handle(), 1) };
    }
}

pub(crate) fn echo(client: &mut Client<File>, body: &[u8]) {
    let answer = client.request(true, &[("REQUEST_METHOD", "POST")], body);
    assert!(answer.body == body, "{} octets", body.len());
}

/// The program, which Cargo builds beside the tests.
fn program() -> Utf8PathBuf {
    let program = Utf8PathBuf::from_path_buf(std::env::current_exe().unwrap()).unwrap();
    let folder = program.ancestors().nth(2).unwrap();
    folder.join("examples").join("probe.exe")
}

fn inherited() -> SECURITY_ATTRIBUTES {
    SECURITY_ATTRIBUTES {
        nLength: u32::try_from(size_of::<SECURITY_ATTRIBUTES>()).unwrap(),
        lpSecurityDescriptor: std::ptr::null_mut(),
        bInheritHandle: 1,
    }
}

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

fn make_pipe(name: &str, kind: u32) -> OwnedHandle {
    let (name, inherited) = (wide(name), inherited());
    // SAFETY: the name ends with a zero; both live until the call returns.
    let handle = unsafe {
        CreateNamedPipeW(
            name.as_ptr(),
            PIPE_ACCESS_DUPLEX | kind,
            PIPE_TYPE_BYTE | PIPE_WAIT,
            1,
            8192,
            8192,
            0,
            &raw const inherited,
        )
    };
    assert_ne!(handle, INVALID_HANDLE_VALUE);
    // SAFETY: the call above has made the handle.
    unsafe { OwnedHandle::from_raw_handle(handle) }
}

/// Connects as soon as the process accepts: until then the pipe is busy with whom it had before.
fn open(name: &str) -> std::io::Result<File> {
    let mut options = std::fs::OpenOptions::new();
    options.read(true).write(true);
    loop {
        match options.open(name) {
            Ok(file) => return Ok(File::from_parts(file, name)),
            Err(error) if error.raw_os_error() == i32::try_from(ERROR_PIPE_BUSY).ok() => {}
            Err(error) => return Err(error),
        }
        // SAFETY: the name ends with a zero and lives until the call returns.
        unsafe { WaitNamedPipeW(wide(name).as_ptr(), NMPWAIT_WAIT_FOREVER) };
    }
}

/// Starts a program with these standard handles, and further variables.
fn create(command: &str, handles: [HANDLE; 3], variables: &[(&str, &str)]) -> OwnedHandle {
    let mut command = wide(command);
    let kept = std::env::vars().filter(|(name, _)| {
        let mut ours = variables.iter();
        !ours.any(|(own, _)| own.eq_ignore_ascii_case(name))
    });
    let ours = variables
        .iter()
        .map(|(name, value)| format!("{name}={value}"));
    let all = kept
        .map(|(name, value)| format!("{name}={value}"))
        .chain(ours);
    let mut environment: Vec<u16> = all.flat_map(|line| wide(&line)).collect();
    environment.push(0);
    let [stdin, stdout, stderr] = handles;
    let startup = STARTUPINFOW {
        cb: u32::try_from(size_of::<STARTUPINFOW>()).unwrap(),
        dwFlags: STARTF_USESTDHANDLES,
        hStdInput: stdin,
        hStdOutput: stdout,
        hStdError: stderr,
        ..STARTUPINFOW::default()
    };
    let mut found = PROCESS_INFORMATION::default();
    // SAFETY: both texts end with zeros, the command's is writable; everything lives until the call returns.
    let started = unsafe {
        CreateProcessW(
            std::ptr::null(),
            command.as_mut_ptr(),
            std::ptr::null(),
            std::ptr::null(),
            1,
            CREATE_UNICODE_ENVIRONMENT | DETACHED_PROCESS,
            environment.as_ptr().cast(),
            std::ptr::null(),
            &raw const startup,
            &raw mut found,
        )
    };
    assert_ne!(started, 0, "{}", std::io::Error::last_os_error());
    // SAFETY: the call above has made both handles.
    unsafe {
        drop(OwnedHandle::from_raw_handle(found.hThread));
        OwnedHandle::from_raw_handle(found.hProcess)
    }
}
