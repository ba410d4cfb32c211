//! An answer to GET and HEAD: conditional requests and ranges.
//!
//! RFC 9110, sections 13 (conditional requests) and 14 (range requests). Left out: several ranges at once, which are answered
//! with everything, as section 14.2 allows.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use camino::Utf8PathBuf;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Response, StatusCode};
use tokio::io::{AsyncRead as _, AsyncSeekExt as _, ReadBuf};

/// Octets of a file that are read at once.
const BLOCK_LEN: u64 = 64 * 1024;

/// Something that is served.
#[derive(Clone, Debug)]
pub(crate) struct Resource {
    pub(crate) content: Content,
    pub(crate) content_type: String,
    /// Last change; of something made here, when what it was made from was changed.
    pub(crate) modified: SystemTime,
}

#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// Made here, with its entity tag.
    Made(Bytes, String),
    File(Utf8PathBuf),
}

/// What is sent of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    All,
    /// From the first offset up to the second, which is not part of it.
    Range(u64, u64),
    NotModified,
    PreconditionFailed,
    /// No octet is in the range.
    Unsatisfiable,
}

impl Resource {
    /// The answer to a GET or HEAD request with these header fields.
    pub(crate) async fn respond(
        &self,
        method: &Method,
        headers: &HeaderMap,
    ) -> io::Result<Response<ResourceBody>> {
        let (file, len, modified, tag) = match &self.content {
            Content::Made(octets, tag) => (None, octets.len() as u64, self.modified, tag.clone()),
            Content::File(path) => {
                let file = tokio::fs::File::open(path).await?;
                let metadata = file.metadata().await?;
                let modified = metadata.modified().unwrap_or(self.modified);
                let since = modified.duration_since(UNIX_EPOCH).unwrap_or_default();
                let tag = format!("\"{:x}-{:x}\"", metadata.len(), since.as_nanos());
                (Some(file), metadata.len(), modified, tag)
            }
        };
        let part = part(headers, len, &tag, modified);
        let mut response = Response::new(ResourceBody::Made(Bytes::new()));
        let (status, range) = match part {
            Part::All => (StatusCode::OK, Some((0, len))),
            Part::Range(from, to) => (StatusCode::PARTIAL_CONTENT, Some((from, to))),
            Part::NotModified => (StatusCode::NOT_MODIFIED, None),
            Part::PreconditionFailed => (StatusCode::PRECONDITION_FAILED, None),
            Part::Unsatisfiable => (StatusCode::RANGE_NOT_SATISFIABLE, None),
        };
        *response.status_mut() = status;
        let mut set = |name: HeaderName, value: &str| {
            if let Ok(value) = HeaderValue::from_str(value) {
                response.headers_mut().insert(name, value);
            }
        };
        set(header::ETAG, &tag);
        set(header::LAST_MODIFIED, &httpdate::fmt_http_date(modified));
        set(header::ACCEPT_RANGES, "bytes");
        // A copy is asked about again each time: feeds that were out of date are what WebPI was known for.
        set(header::CACHE_CONTROL, "no-cache");
        match part {
            Part::Range(from, to) => {
                set(
                    header::CONTENT_RANGE,
                    &format!("bytes {from}-{}/{len}", to - 1),
                );
            }
            Part::Unsatisfiable => set(header::CONTENT_RANGE, &format!("bytes */{len}")),
            _ => {}
        }
        let Some((from, to)) = range else {
            return Ok(response);
        };
        set(header::CONTENT_TYPE, &self.content_type);
        set(header::CONTENT_LENGTH, &(to - from).to_string());
        if method == Method::HEAD {
            return Ok(response);
        }
        *response.body_mut() = match (&self.content, file) {
            (Content::File(_), Some(mut file)) => {
                file.seek(io::SeekFrom::Start(from)).await?;
                ResourceBody::File {
                    file,
                    left: to - from,
                }
            }
            (Content::Made(octets, _), _) => {
                let offset = |offset: u64| {
                    usize::try_from(offset)
                        .unwrap_or(usize::MAX)
                        .min(octets.len())
                };
                ResourceBody::Made(octets.slice(offset(from)..offset(to)))
            }
            (Content::File(_), None) => ResourceBody::Made(Bytes::new()),
        };
        Ok(response)
    }
}

/// RFC 9110, section 13.2.2: the order in which conditions are looked at.
fn part(headers: &HeaderMap, len: u64, tag: &str, modified: SystemTime) -> Part {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(tags) = text(header::IF_MATCH) {
        if !names(tags, tag, true) {
            return Part::PreconditionFailed;
        }
    } else if let Some(date) = text(header::IF_UNMODIFIED_SINCE).and_then(parse_date)
        && seconds(modified) > seconds(date)
    {
        return Part::PreconditionFailed;
    }
    if let Some(tags) = text(header::IF_NONE_MATCH) {
        if names(tags, tag, false) {
            return Part::NotModified;
        }
    } else if let Some(date) = text(header::IF_MODIFIED_SINCE).and_then(parse_date)
        && seconds(modified) <= seconds(date)
    {
        return Part::NotModified;
    }
    let is_same = match text(header::IF_RANGE) {
        None => true,
        Some(condition) if condition.contains('"') => condition.trim() == tag,
        Some(date) => parse_date(date).is_some_and(|date| seconds(date) == seconds(modified)),
    };
    match text(header::RANGE) {
        Some(range) if is_same => parse_range(range, len),
        _ => Part::All,
    }
}

/// Whether a list of entity tags names `tag`, which is strong.
fn names(tags: &str, tag: &str, strong: bool) -> bool {
    tags.split(',').map(str::trim).any(|candidate| {
        candidate == "*"
            || candidate == tag
            || (!strong && candidate.strip_prefix("W/") == Some(tag))
    })
}

fn parse_date(text: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(text).ok()
}

/// HTTP's dates have no fractions of a second.
fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO)
        .as_secs()
}

/// `bytes=FIRST-LAST`, `bytes=FIRST-` or `bytes=-LEN`; anything else is answered with everything.
fn parse_range(range: &str, len: u64) -> Part {
    let Some((first, last)) = range
        .trim()
        .strip_prefix("bytes=")
        .filter(|spec| !spec.contains(','))
        .and_then(|spec| spec.trim().split_once('-'))
    else {
        return Part::All;
    };
    let (from, to) = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => (first, last.saturating_add(1).min(len)),
        (Ok(first), Err(_)) if last.is_empty() => (first, len),
        (Err(_), Ok(suffix)) if first.is_empty() => (len.saturating_sub(suffix), len),
        _ => return Part::All,
    };
    if from >= to {
        return Part::Unsatisfiable;
    }
    Part::Range(from, to)
}

/// The octets of an answer.
#[derive(Debug)]
pub(crate) enum ResourceBody {
    Made(Bytes),
    File { file: tokio::fs::File, left: u64 },
}

impl Body for ResourceBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match self.get_mut() {
            Self::Made(octets) => {
                let octets = std::mem::take(octets);
                Poll::Ready((!octets.is_empty()).then(|| Ok(Frame::data(octets))))
            }
            Self::File { left: 0, .. } => Poll::Ready(None),
            Self::File { file, left } => {
                let mut block =
                    vec![0; usize::try_from(BLOCK_LEN.min(*left)).unwrap_or(usize::MAX)];
                let mut buffer = ReadBuf::new(&mut block);
                ready!(Pin::new(file).poll_read(context, &mut buffer))?;
                let read = buffer.filled().len();
                if read == 0 {
                    // The length has been announced already.
                    return Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into())));
                }
                *left -= read as u64;
                block.truncate(read);
                Poll::Ready(Some(Ok(Frame::data(block.into()))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Made(octets) => octets.is_empty(),
            Self::File { left, .. } => *left == 0,
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(match self {
            Self::Made(octets) => octets.len() as u64,
            Self::File { left, .. } => *left,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_and_ranges_are_understood() {
        let modified = UNIX_EPOCH + Duration::from_millis(784_111_777_900);
        let same = "Sun, 06 Nov 1994 08:49:37 GMT";
        let before = "Sun, 06 Nov 1994 08:49:36 GMT";
        let table: &[(&[(&str, &str)], Part)] = &[
            (&[], Part::All),
            (&[("if-none-match", "\"a\"")], Part::NotModified),
            (&[("if-none-match", "\"x\", W/\"a\"")], Part::NotModified),
            (&[("if-none-match", "*")], Part::NotModified),
            (
                &[("if-none-match", "\"x\""), ("if-modified-since", same)],
                Part::All,
            ),
            (&[("if-modified-since", same)], Part::NotModified),
            (&[("if-modified-since", before)], Part::All),
            (&[("if-modified-since", "yesterday")], Part::All),
            (&[("if-match", "\"a\"")], Part::All),
            (&[("if-match", "W/\"a\"")], Part::PreconditionFailed),
            (&[("if-unmodified-since", before)], Part::PreconditionFailed),
            (&[("if-unmodified-since", same)], Part::All),
            (&[("range", "bytes=0-0")], Part::Range(0, 1)),
            (&[("range", "bytes=2-")], Part::Range(2, 10)),
            (&[("range", "bytes=-3")], Part::Range(7, 10)),
            (&[("range", "bytes=-30")], Part::Range(0, 10)),
            (&[("range", "bytes=4-99")], Part::Range(4, 10)),
            (
                &[("range", "bytes=4-18446744073709551615")],
                Part::Range(4, 10),
            ),
            (&[("range", "bytes=10-")], Part::Unsatisfiable),
            (&[("range", "bytes=-0")], Part::Unsatisfiable),
            (&[("range", "bytes=5-4")], Part::All),
            (&[("range", "bytes=0-1,3-4")], Part::All),
            (&[("range", "lines=0-1")], Part::All),
            (&[("range", "bytes=x-")], Part::All),
            (
                &[("range", "bytes=0-0"), ("if-range", "\"a\"")],
                Part::Range(0, 1),
            ),
            (
                &[("range", "bytes=0-0"), ("if-range", "W/\"a\"")],
                Part::All,
            ),
            (&[("range", "bytes=0-0"), ("if-range", "\"x\"")], Part::All),
            (
                &[("range", "bytes=0-0"), ("if-range", same)],
                Part::Range(0, 1),
            ),
            (&[("range", "bytes=0-0"), ("if-range", before)], Part::All),
        ];
        for (fields, expected) in table {
            let mut headers = HeaderMap::new();
            for (name, value) in *fields {
                let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
                headers.insert(name, value.parse().unwrap());
            }
            assert_eq!(
                part(&headers, 10, "\"a\"", modified),
                *expected,
                "{fields:?}"
            );
        }
    }

    #[test]
    fn nothing_of_an_empty_resource_can_be_had() {
        assert_eq!(parse_range("bytes=0-", 0), Part::Unsatisfiable);
        assert_eq!(parse_range("bytes=-5", 0), Part::Unsatisfiable);
    }
}
