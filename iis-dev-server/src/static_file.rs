//! Files that no FastCGI handler takes, served as IIS's StaticFileModule and DefaultDocumentModule serve them.
//!
//! *IIS configuration reference*, "Static Content `<staticContent>`" and "Default Document `<defaultDocument>`": only
//! files whose extension has a MIME type are served (404.3 otherwise, which is what protects `.py` and `.ini` files),
//! a folder answers with its default document, and a folder without the final `/` redirects to the one with it. Nothing
//! outside the virtual directory's folder is served, also not through a symbolic link. Left out: changes of both
//! sections in configuration files, ranges, compression, folder listings.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use camino::{Utf8Path, Utf8PathBuf};
use hyper::body::Bytes;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Method, Response, StatusCode};
use tokio::io::AsyncReadExt as _;
use tokio::sync::mpsc;

use crate::response_body::ResponseBody;
use crate::sink::Truncated;

/// Octets of a file that are read at once.
const BLOCK_LEN: usize = 64 * 1024;

/// `defaultDocument/files` of a default installation, those of ASP left out.
const DEFAULT_DOCUMENTS: [&str; 5] = [
    "Default.htm",
    "index.htm",
    "index.html",
    "iisstart.htm",
    "default.html",
];

/// Extensions to which a default installation of IIS 10 gives a MIME type, as far as Web sites use them.
const SERVED_EXTENSIONS: [&str; 88] = [
    "3gp", "aac", "ai", "aif", "aiff", "atom", "avi", "bin", "bmp", "cab", "cer", "chm", "crl",
    "crt", "css", "csv", "dib", "dll", "doc", "docx", "dotx", "dtd", "dvi", "eml", "eot", "eps",
    "exe", "flv", "gif", "gtar", "gz", "hta", "htm", "html", "ico", "ics", "jar", "jpe", "jpeg",
    "jpg", "js", "json", "less", "m3u", "m4a", "m4v", "mid", "midi", "mov", "mp3", "mp4", "mpeg",
    "mpg", "msi", "oga", "ogg", "ogv", "otf", "pdf", "png", "ppt", "pptx", "ps", "psd", "rss",
    "rtf", "svg", "svgz", "swf", "tar", "tgz", "tif", "tiff", "ttf", "txt", "wasm", "wav", "webm",
    "webp", "woff", "woff2", "xaml", "xhtml", "xls", "xlsx", "xml", "xsl", "zip",
];

/// Why no file is served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoFile {
    #[error("there is no file `{path}`")]
    Missing { path: Utf8PathBuf },
    #[error("the folder `{path}` has none of the default documents {}", DEFAULT_DOCUMENTS.join(", "))]
    NoDefaultDocument { path: Utf8PathBuf },
    #[error("files like `{name}` have no MIME type in IIS and are not served (IIS: 404.3)")]
    NoMimeType { name: String },
    #[error("`{path}` leads out of the folder that is served")]
    LeavesFolder { path: Utf8PathBuf },
    #[error("files answer only GET and HEAD")]
    Method,
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// What answers a request for a path.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    File(Utf8PathBuf),
    /// A folder asked for without the final `/`.
    Folder,
}

/// Serves `rest`, decoded and below the folder `root`. `raw_path` is the path as sent, for the redirect.
pub(crate) async fn serve(
    root: &Utf8Path,
    rest: &str,
    method: &Method,
    headers: &HeaderMap,
    raw_path: &str,
) -> Result<Response<ResponseBody>, NoFile> {
    if method != Method::GET && method != Method::HEAD {
        return Err(NoFile::Method);
    }
    let path = match find(root, rest)? {
        Found::File(path) => path,
        Found::Folder => {
            // Several slashes at the start would name another host.
            let location = format!("/{}/", raw_path.trim_start_matches('/'));
            let location = HeaderValue::from_str(&location).map_err(std::io::Error::other)?;
            let mut response = Response::new(ResponseBody::empty());
            *response.status_mut() = StatusCode::MOVED_PERMANENTLY;
            response.headers_mut().insert(header::LOCATION, location);
            return Ok(response);
        }
    };
    let file = tokio::fs::File::open(&path).await?;
    let metadata = file.metadata().await?;
    let mut response = Response::new(ResponseBody::empty());
    if let Ok(modified) = metadata.modified() {
        if not_modified(headers, modified) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            return Ok(response);
        }
        if let Ok(value) = HeaderValue::from_str(&httpdate::fmt_http_date(modified)) {
            response.headers_mut().insert(header::LAST_MODIFIED, value);
        }
    }
    let mime = mime_guess::from_path(&path).first_or_octet_stream();
    if let Ok(value) = HeaderValue::from_str(mime.essence_str()) {
        response.headers_mut().insert(header::CONTENT_TYPE, value);
    }
    response
        .headers_mut()
        .insert(header::CONTENT_LENGTH, HeaderValue::from(metadata.len()));
    if method == Method::GET && metadata.len() > 0 {
        *response.body_mut() = stream(file, metadata.len());
    }
    Ok(response)
}

fn find(root: &Utf8Path, rest: &str) -> Result<Found, NoFile> {
    let mut path = root.to_owned();
    for segment in rest.split('/').filter(|segment| !segment.is_empty()) {
        // A colon opens a drive or a stream on Windows.
        if segment == ".." || segment.contains(['\\', ':', char::REPLACEMENT_CHARACTER]) {
            return Err(NoFile::Missing {
                path: path.join(segment),
            });
        }
        path.push(segment);
    }
    if path.is_dir() {
        if !rest.ends_with('/') && !rest.is_empty() {
            return Ok(Found::Folder);
        }
        let document = DEFAULT_DOCUMENTS
            .iter()
            .map(|name| path.join(name))
            .find(|file| file.is_file());
        path = document.ok_or(NoFile::NoDefaultDocument { path })?;
    } else if !path.is_file() || rest.ends_with('/') {
        return Err(NoFile::Missing { path });
    }
    let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
    if !SERVED_EXTENSIONS.contains(&extension.as_str()) {
        let name = path.file_name().unwrap_or_default().to_owned();
        return Err(NoFile::NoMimeType { name });
    }
    if !path
        .canonicalize_utf8()?
        .starts_with(root.canonicalize_utf8()?)
    {
        return Err(NoFile::LeavesFolder { path });
    }
    Ok(Found::File(path))
}

fn not_modified(headers: &HeaderMap, modified: SystemTime) -> bool {
    let since = headers
        .get(header::IF_MODIFIED_SINCE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| httpdate::parse_http_date(value).ok());
    // HTTP dates have no fractions of a second.
    let seconds = |time: SystemTime| {
        time.duration_since(UNIX_EPOCH)
            .map_or(Duration::ZERO, |since| Duration::from_secs(since.as_secs()))
    };
    since.is_some_and(|since| seconds(modified) <= seconds(since))
}

/// Streams a file of which `len` octets were announced.
fn stream(file: tokio::fs::File, len: u64) -> ResponseBody {
    let (sender, receiver) = mpsc::channel(2);
    tokio::spawn(async move {
        let mut file = file.take(len);
        let mut left = len;
        while left > 0 {
            let mut block = Vec::with_capacity(BLOCK_LEN);
            let read = (&mut file)
                .take(BLOCK_LEN as u64)
                .read_to_end(&mut block)
                .await;
            let item = match read {
                Ok(count) if count > 0 => {
                    left = left.saturating_sub(count as u64);
                    Ok(Bytes::from(block))
                }
                // It has become shorter, or cannot be read to the end.
                _ => Err(Truncated),
            };
            let truncated = item.is_err();
            if sender.send(item).await.is_err() || truncated {
                return;
            }
        }
    });
    ResponseBody::stream(receiver)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let root = Utf8PathBuf::from_path_buf(folder.path().join("site")).unwrap();
        fs_err::create_dir_all(root.join("sub")).unwrap();
        for name in [
            "a.css",
            "b.PY",
            "app.ini",
            ".env",
            "noext",
            "sub/index.html",
            "ü.txt",
        ] {
            fs_err::write(root.join(name), name).unwrap();
        }
        fs_err::write(root.parent().unwrap().join("secret.txt"), "secret").unwrap();
        (folder, root)
    }

    #[test]
    fn files_are_found_below_the_folder_only() {
        let (_keep, root) = folder();
        let table = [
            ("/a.css", "a.css"),
            ("/ü.txt", "ü.txt"),
            ("/sub/", "sub/index.html"),
            ("//sub//index.html", "sub/index.html"),
        ];
        for (rest, expected) in table {
            assert_eq!(
                find(&root, rest).unwrap(),
                Found::File(root.join(expected)),
                "{rest}"
            );
        }
        assert_eq!(find(&root, "/sub").unwrap(), Found::Folder);
        let table = [
            ("/b.PY", "404.3"),
            ("/app.ini", "404.3"),
            ("/.env", "404.3"),
            ("/noext", "404.3"),
            ("/missing.css", "no file"),
            ("/a.css/", "no file"),
            ("/../secret.txt", "no file"),
            (r"/..\secret.txt", "no file"),
            ("/C:/x.txt", "no file"),
            ("/", "default documents"),
            ("", "default documents"),
        ];
        for (rest, expected) in table {
            let fault = find(&root, rest).unwrap_err().to_string();
            assert!(fault.contains(expected), "{rest}: {fault}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_that_lead_out_are_refused() {
        let (_keep, root) = folder();
        std::os::unix::fs::symlink("../secret.txt", root.join("out.txt")).unwrap();
        std::os::unix::fs::symlink("a.css", root.join("in.css")).unwrap();
        assert!(matches!(
            find(&root, "/out.txt"),
            Err(NoFile::LeavesFolder { .. })
        ));
        assert!(matches!(find(&root, "/in.css"), Ok(Found::File(_))));
    }

    #[test]
    fn dates_compare_in_whole_seconds() {
        let modified = UNIX_EPOCH + Duration::from_millis(1_500_000_000_900);
        for (date, expected) in [
            (UNIX_EPOCH + Duration::from_secs(1_500_000_000), true),
            (UNIX_EPOCH + Duration::from_secs(1_499_999_999), false),
        ] {
            let mut headers = HeaderMap::new();
            let value = httpdate::fmt_http_date(date).parse().unwrap();
            headers.insert(header::IF_MODIFIED_SINCE, value);
            assert_eq!(not_modified(&headers, modified), expected);
        }
        assert!(!not_modified(&HeaderMap::new(), modified));
    }
}
