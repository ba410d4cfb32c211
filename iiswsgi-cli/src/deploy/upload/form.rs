//! The body of an upload to a packaging index: multipart/form-data (RFC 7578), the file last.

use std::io::{Cursor, Read};

use fs_err as fs;

use crate::deploy::upload::file::UploadFile;
use crate::error::Result;

/// What stands around the file's octets.
#[derive(Debug)]
pub(crate) struct Form {
    boundary: String,
    before: Vec<u8>,
    after: Vec<u8>,
}

impl Form {
    pub(crate) fn new(fields: &[(String, String)], file: &UploadFile) -> Self {
        // A file cannot have its own digest in it.
        let boundary = format!("iiswsgi-{}", file.sha256);
        let mut before = String::new();
        for (name, value) in fields {
            before.push_str(&format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{}\"\r\n\r\n{value}\r\n",
                escape(name)
            ));
        }
        before.push_str(&format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"content\"; filename=\"{}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n",
            escape(&file.name)
        ));
        Self {
            after: format!("\r\n--{boundary}--\r\n").into_bytes(),
            before: before.into_bytes(),
            boundary,
        }
    }

    pub(crate) fn content_type(&self) -> String {
        format!("multipart/form-data; boundary={}", self.boundary)
    }

    pub(crate) fn len(&self, file: &UploadFile) -> u64 {
        self.before.len() as u64 + file.size + self.after.len() as u64
    }

    /// The body from its beginning; the file is read while it is sent.
    pub(crate) fn body(&self, file: &UploadFile) -> Result<impl Read + 'static> {
        let contents = fs::File::open(&file.path)?.take(file.size);
        Ok(Cursor::new(self.before.clone())
            .chain(contents)
            .chain(Cursor::new(self.after.clone())))
    }
}

/// A name in quotes, as the HTML standard's "multipart/form-data encoding algorithm" has it.
fn escape(name: &str) -> String {
    name.replace('\r', "%0D")
        .replace('\n', "%0A")
        .replace('"', "%22")
}

#[cfg(test)]
mod tests {
    use camino::Utf8PathBuf;

    use super::*;

    #[test]
    fn the_file_comes_last_and_no_name_ends_its_quotes() {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(folder.path().join("a b.whl")).unwrap();
        fs::write(&path, "octets").unwrap();
        let file = UploadFile::read(&path).unwrap();
        let fields = [("na\"me\r\n".to_owned(), "guest-book".to_owned())];
        let form = Form::new(&fields, &file);
        let mut body = String::new();
        form.body(&file).unwrap().read_to_string(&mut body).unwrap();
        assert_eq!(body.len() as u64, form.len(&file));
        assert!(body.contains("name=\"na%22me%0D%0A\"\r\n\r\nguest-book\r\n--"));
        assert!(body.contains("filename=\"a b.whl\"\r\n"));
        let end = format!("\r\n\r\noctets\r\n--{}--\r\n", form.boundary);
        assert!(body.ends_with(&end), "{body}");
    }
}
