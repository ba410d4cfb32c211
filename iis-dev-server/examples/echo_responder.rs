//! A FastCGI Responder for trying out Web servers: it echoes, and misbehaves on request.
//!
//! It serves the connection on standard input, as IIS hands it over (`_FCGI_X_PIPE_` is set), or else the listening
//! socket there. The last segment of `SCRIPT_NAME` says what to do, `QUERY_STRING` with what:
//!
//! - `echo`: the request's body; `params`: the request's variables, one a line; `environment`: the process's.
//! - `bytes?N`: a body of N octets; `pid`: the process id; `status?TEXT`: a `Status` header.
//! - `wait?ADDRESS`: connects to ADDRESS, and answers when a line comes from there.
//! - `until-abort?ADDRESS`: begins to answer, and tells ADDRESS when the request is aborted.
//! - `error`: writes to `FCGI_STDERR` and answers; `raw`: writes the request's body as the whole response.
//! - `exit?N`: writes to stderr and exits with status N; `half`: exits in the middle of a body.
//! - `garbage`: writes what is not FastCGI.

use std::io::{self, BufRead as _, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;

use fcgi_proto::application::{AfterRequest, Config, Connection, Event};
use fcgi_proto::{Limits, Params, RequestId};

fn main() -> io::Result<()> {
    let descriptor = io::stdin().as_fd().try_clone_to_owned()?;
    if std::env::var_os("_FCGI_X_PIPE_").is_some() {
        return serve(UnixStream::from(descriptor));
    }
    let listener = TcpListener::from(descriptor);
    loop {
        serve(listener.accept()?.0)?;
    }
}

/// The request at work.
struct Request {
    id: RequestId,
    action: String,
    query: String,
    body: Vec<u8>,
}

/// A connection and its state.
struct Peer<S> {
    stream: S,
    connection: Connection,
    output: Vec<u8>,
}

impl<S: Read + Write> Peer<S> {
    fn flush(&mut self) -> io::Result<()> {
        self.connection.take_output(&mut self.output);
        self.stream.write_all(&self.output)?;
        self.output.clear();
        Ok(())
    }

    fn stdout(&mut self, id: RequestId, data: &[u8]) -> io::Result<()> {
        self.connection
            .stdout(id, data, &mut self.output)
            .map_err(io::Error::other)?;
        self.flush()
    }

    fn end(&mut self, id: RequestId) -> io::Result<AfterRequest> {
        let after = self.connection.end_request(id, 0, &mut self.output);
        let after = after.map_err(io::Error::other)?;
        self.flush()?;
        Ok(after)
    }
}

fn serve<S: Read + Write>(stream: S) -> io::Result<()> {
    let connection = Connection::new(Config::default(), Limits::default());
    let mut peer = Peer {
        stream,
        connection,
        output: Vec::new(),
    };
    let mut buffer = vec![0; 64 * 1024];
    let mut request: Option<Request> = None;
    loop {
        let len = peer.stream.read(&mut buffer)?;
        if len == 0 {
            return Ok(());
        }
        let mut input = buffer.get(..len).unwrap_or_default();
        while let Some(event) = peer
            .connection
            .handle_input(&mut input)
            .map_err(io::Error::other)?
        {
            match event {
                Event::Request { id, params, .. } => request = Some(begin(&mut peer, id, params)?),
                Event::Stdin { data, .. } => {
                    if let Some(request) = &mut request {
                        if request.action == "echo" {
                            peer.stdout(request.id, data)?;
                        } else {
                            request.body.extend_from_slice(data);
                        }
                    }
                }
                Event::StdinEnd { .. } => {
                    if let Some(request) =
                        request.take_if(|request| request.action != "until-abort")
                    {
                        answer(&mut peer, &request)?;
                        if peer.end(request.id)? == AfterRequest::CloseConnection {
                            return Ok(());
                        }
                    }
                }
                Event::Abort { id } => {
                    if let Some(request) =
                        request.take_if(|request| request.action == "until-abort")
                    {
                        writeln!(TcpStream::connect(&request.query)?, "aborted")?;
                    }
                    let _after = peer.end(id)?;
                }
                _ => {}
            }
        }
        peer.flush()?;
    }
}

fn begin<S: Read + Write>(
    peer: &mut Peer<S>,
    id: RequestId,
    params: Params,
) -> io::Result<Request> {
    let text = |name: &str| {
        String::from_utf8_lossy(params.get(name.as_bytes()).unwrap_or_default()).into_owned()
    };
    let action = text("SCRIPT_NAME")
        .rsplit('/')
        .next()
        .unwrap_or_default()
        .to_owned();
    let query = text("QUERY_STRING");
    let mut body = Vec::new();
    match action.as_str() {
        "echo" => {
            let head = format!("Content-Type: {}\r\n\r\n", text("CONTENT_TYPE"));
            peer.stdout(id, head.as_bytes())?;
        }
        "until-abort" => peer.stdout(id, b"Content-Type: text/plain\r\n\r\nbegun\n")?,
        "exit" => {
            writeln!(io::stderr(), "about to exit with {query}")?;
            #[expect(clippy::exit, reason = "what this action is for")]
            std::process::exit(query.parse().unwrap_or(1));
        }
        "params" => {
            for (name, value) in params.iter() {
                body.extend_from_slice(&[name, b"=", value, b"\n"].concat());
            }
        }
        _ => {}
    }
    peer.connection.recycle(params);
    Ok(Request {
        id,
        action,
        query,
        body,
    })
}

fn answer<S: Read + Write>(peer: &mut Peer<S>, request: &Request) -> io::Result<()> {
    const TEXT: &str = "Content-Type: text/plain; charset=utf-8\r\n\r\n";
    let id = request.id;
    match request.action.as_str() {
        "echo" => Ok(()),
        "raw" => peer.stdout(id, &request.body),
        "params" => peer.stdout(id, &[TEXT.as_bytes(), &request.body].concat()),
        "environment" => {
            let lines: String = std::env::vars()
                .map(|(name, value)| format!("{name}={value}\n"))
                .collect();
            peer.stdout(id, format!("{TEXT}{lines}").as_bytes())
        }
        "pid" => peer.stdout(id, format!("{TEXT}{}", std::process::id()).as_bytes()),
        "status" => peer.stdout(
            id,
            format!("Status: {}\r\n{TEXT}", request.query).as_bytes(),
        ),
        "bytes" => {
            let len = request.query.parse().unwrap_or(0);
            peer.stdout(id, format!("Content-Length: {len}\r\n{TEXT}").as_bytes())?;
            let block = [b'x'; 50_000];
            let mut left: usize = len;
            while left > 0 {
                let part = block.get(..left).unwrap_or(&block);
                peer.stdout(id, part)?;
                left -= part.len();
            }
            Ok(())
        }
        "wait" => {
            let gate = TcpStream::connect(&request.query)?;
            writeln!(&gate, "{}", std::process::id())?;
            let mut line = String::new();
            BufReader::new(&gate).read_line(&mut line)?;
            peer.stdout(id, format!("{TEXT}{}", line.trim_end()).as_bytes())
        }
        "error" => {
            let records = peer
                .connection
                .stderr(id, b"it went wrong\n", &mut peer.output);
            records.map_err(io::Error::other)?;
            peer.stdout(id, format!("{TEXT}but here is an answer").as_bytes())
        }
        "half" => {
            peer.stdout(
                id,
                format!("Content-Length: 100\r\n{TEXT}half of it").as_bytes(),
            )?;
            Err(io::Error::other("this is the half"))
        }
        "garbage" => {
            peer.stream.write_all(b"print() in the wrong place\n")?;
            // Until the Web server hangs up.
            io::copy(&mut peer.stream, &mut io::sink()).map(|_| ())
        }
        other => peer.stdout(
            id,
            format!("Status: 404 Not Found\r\n{TEXT}no action {other}").as_bytes(),
        ),
    }
}
