//! The responder that `iiswsgi-conformance --help` describes, over `tokio-fastcgi`. It serves the Unix socket on file
//! descriptor 0.

use std::io::Read as _;
use std::os::fd::AsFd as _;

use tokio::io::AsyncWrite;
use tokio_fastcgi::{Request, RequestResult, Requests};

async fn echo<W: AsyncWrite + Unpin>(request: std::sync::Arc<Request<W>>) -> RequestResult {
    let mut page = Vec::new();
    let text = |name: &str| {
        let value = request.get_param(name)?;
        Some(String::from_utf8_lossy(value).into_owned())
    };
    let mut body = Vec::new();
    if text("ECHO_EARLY").is_none() && request.get_stdin().read_to_end(&mut body).is_err() {
        return RequestResult::Complete(1);
    }
    if let Some(text) = text("ECHO_STDERR") {
        let _ = request.get_stderr().write(text.as_bytes()).await;
    }
    page.extend_from_slice(
        b"Content-Type: text/plain\r\nX-FastCGI-Echo: stderr status early\r\n\r\n",
    );
    for (name, value) in request.params_iter().into_iter().flatten() {
        // The crate gives the names in lower case.
        page.extend_from_slice(name.to_ascii_uppercase().as_bytes());
        page.push(b'=');
        for octet in value {
            page.extend_from_slice(format!("{octet:02x}").as_bytes());
        }
        page.push(b'\n');
    }
    page.extend_from_slice(format!("STDIN {}\n", body.len()).as_bytes());
    page.extend_from_slice(&body);
    if request.get_stdout().write(&page).await.is_err() {
        return RequestResult::Complete(1);
    }
    let status = text("ECHO_STATUS").and_then(|text| text.parse().ok());
    RequestResult::Complete(status.unwrap_or(0))
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let descriptor = std::io::stdin().as_fd().try_clone_to_owned()?;
    let listener = std::os::unix::net::UnixListener::from(descriptor);
    listener.set_nonblocking(true)?;
    let listener = tokio::net::UnixListener::from_std(listener)?;
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(async move {
            let (input, output) = stream.into_split();
            let mut requests = Requests::new(input, output, 10, 10);
            while let Ok(Some(request)) = requests.next().await {
                if request.process(echo).await.is_err() {
                    break;
                }
            }
        });
    }
}
