//! `MSDeploy.MSDeployProviderOptions`: the settings of a provider as Web Deploy hides them in a manifest.
//!
//! The attribute's value is base64 of one gzip member of one stream of *\[MS-NRBF\]: .NET Remoting: Binary Format Data
//! Structure* <https://learn.microsoft.com/openspecs/windows_protocols/ms-nrbf>, which carries one object of the class
//! `Microsoft.Web.Deployment.DeploymentProviderOptions`: the provider's name, its path, and two arrays of strings, the
//! settings' names and their values.
//!
//! Web Deploy's own reader is a general deserialiser, which is how CVE-2025-53772 works. This one accepts exactly the
//! sequence of records that such an object has, with its legal variants (a repeated string as a reference, null as one
//! of three records), and caps what it reads before and after inflating.
//!
//! Left out: `MSDeploy.SyncOptions`, the related object of the HTTP protocol.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::bufread::GzDecoder;
use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};

use crate::Error;

/// The attribute that carries the options.
pub const PROVIDER_OPTIONS_ATTRIBUTE: &str = "MSDeploy.MSDeployProviderOptions";

/// The attribute that goes with the options; its value is [`KEY_ATTRIBUTE_VALUE`].
pub const KEY_ATTRIBUTE: &str = "MSDeploy.MSDeployKeyAttributeName";

/// The attribute by which Web Deploy tells two objects of one provider apart.
pub const KEY_ATTRIBUTE_VALUE: &str = "path";

/// The library that Web Deploy 3 and later name; earlier releases have other versions and letter cases.
pub const LIBRARY: &str =
    "Microsoft.web.deployment, Version=7.1.0.0, Culture=neutral, PublicKeyToken=31bf3856ad364e35";

const CLASS: &str = "Microsoft.Web.Deployment.DeploymentProviderOptions";
const MEMBERS: [&str; 4] = ["providerName", "path", "names", "values"];

/// Octets of gzip data that are read at most.
const MAX_COMPRESSED_LEN: usize = 1 << 20;
/// Octets that they may inflate to.
const MAX_INFLATED_LEN: u64 = 4 << 20;
/// Settings that one provider may have. Web Deploy has a few dozen.
const MAX_SETTINGS: usize = 4096;

/// Header of the gzip member as .NET writes it: no time, "fastest", file system FAT.
const GZIP_HEADER: [u8; 10] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 4, 0];

/// Record types of \[MS-NRBF\] section 2.1.2.1, as far as they occur here.
mod record {
    pub(super) const STREAM_HEADER: u8 = 0;
    pub(super) const CLASS_WITH_MEMBERS_AND_TYPES: u8 = 5;
    pub(super) const BINARY_OBJECT_STRING: u8 = 6;
    pub(super) const MEMBER_REFERENCE: u8 = 9;
    pub(super) const OBJECT_NULL: u8 = 10;
    pub(super) const MESSAGE_END: u8 = 11;
    pub(super) const BINARY_LIBRARY: u8 = 12;
    pub(super) const OBJECT_NULL_MULTIPLE_256: u8 = 13;
    pub(super) const OBJECT_NULL_MULTIPLE: u8 = 14;
    pub(super) const ARRAY_SINGLE_STRING: u8 = 17;
}

/// Binary types of the members, \[MS-NRBF\] section 2.1.2.2: String, String, StringArray, StringArray.
const MEMBER_TYPES: [u8; 4] = [1, 1, 6, 6];

/// A provider's name, path and settings, in the form that `MSDeploy.MSDeployProviderOptions` carries.
///
/// ```
/// use msdeploy_pkg::ProviderOptions;
///
/// let mut options = ProviderOptions::new("runCommand", r"C:\Python\python.exe setup.py");
/// options.settings.push(("successReturnCodes".to_owned(), "0x0".to_owned()));
/// let value = options.encode();
/// assert!(value.starts_with("H4sIAAAAAAAEA"));
/// assert_eq!(ProviderOptions::decode(&value)?, options);
/// # Ok::<(), msdeploy_pkg::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderOptions {
    /// The provider, for example `runCommand`; equals the element's name in every package seen.
    pub provider_name: String,
    /// The provider's path, as in the element's `path` attribute.
    pub path: String,
    /// The settings that were given, in the order they were given; every value is text.
    pub settings: Vec<(String, String)>,
    /// The assembly that the object belongs to; [`LIBRARY`] unless a release before Web Deploy 3 wrote it.
    pub library: String,
}

impl ProviderOptions {
    /// Options without settings.
    #[must_use]
    pub fn new(provider_name: impl Into<String>, path: impl Into<String>) -> Self {
        Self {
            provider_name: provider_name.into(),
            path: path.into(),
            settings: Vec::new(),
            library: LIBRARY.to_owned(),
        }
    }

    /// The value of the setting `name`, whatever the case of ASCII letters.
    #[must_use]
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.settings
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The attribute's value: for paths and settings of usual length the characters that a current Web Deploy writes,
    /// else the same object in another deflate stream, which it reads as well.
    #[must_use]
    pub fn encode(&self) -> String {
        let stream = self.to_stream();
        let mut gzip = GZIP_HEADER.to_vec();
        // .NET deflates by zlib's level 6. On data as short as this all of zlib's levels from 5 write the same, and the
        // library used here does so at level 9, where it looks for matches of three octets as zlib does.
        let mut deflate = DeflateEncoder::new(&mut gzip, Compression::new(9));
        // Writing into a Vec does not fail.
        let _ = deflate.write_all(&stream);
        let _ = deflate.finish();
        let mut crc = Crc::new();
        crc.update(&stream);
        gzip.extend(crc.sum().to_le_bytes());
        gzip.extend(crc.amount().to_le_bytes());
        STANDARD.encode(gzip)
    }

    /// Reads an attribute's value.
    ///
    /// # Errors
    ///
    /// [`Error::ProviderOptions`] where the value is not base64 of gzip of exactly one `DeploymentProviderOptions`
    /// object, or is larger than 1 MiB before or 4 MiB after inflating.
    pub fn decode(value: &str) -> Result<Self, Error> {
        if value.len() > MAX_COMPRESSED_LEN / 3 * 4 + 4 {
            return Err(Error::provider_options(format!(
                "{} characters are more than any real value has",
                value.len()
            )));
        }
        let gzip = STANDARD
            .decode(value)
            .map_err(|error| Error::provider_options(format!("not base64: {error}")))?;
        let mut decoder = GzDecoder::new(gzip.as_slice());
        let mut stream = Vec::new();
        decoder
            .by_ref()
            .take(MAX_INFLATED_LEN + 1)
            .read_to_end(&mut stream)
            .map_err(|error| Error::provider_options(format!("not gzip: {error}")))?;
        if stream.len() as u64 > MAX_INFLATED_LEN {
            return Err(Error::provider_options(format!(
                "inflates to more than the {MAX_INFLATED_LEN} octets allowed"
            )));
        }
        if !decoder.into_inner().is_empty() {
            return Err(Error::provider_options("data after the gzip member"));
        }
        Self::from_stream(&stream)
    }

    /// The \[MS-NRBF\] stream, before it is compressed and written in base64.
    #[must_use]
    pub fn to_stream(&self) -> Vec<u8> {
        let mut stream = vec![record::STREAM_HEADER];
        for word in [1, -1, 1, 0] {
            stream.extend(i32::to_le_bytes(word));
        }
        stream.push(record::BINARY_LIBRARY);
        stream.extend(i32::to_le_bytes(2));
        put_string(&mut stream, &self.library);
        stream.push(record::CLASS_WITH_MEMBERS_AND_TYPES);
        stream.extend(i32::to_le_bytes(1));
        put_string(&mut stream, CLASS);
        stream.extend(i32::to_le_bytes(4));
        for member in MEMBERS {
            put_string(&mut stream, member);
        }
        stream.extend(MEMBER_TYPES);
        stream.extend(i32::to_le_bytes(2));
        put_object_string(&mut stream, 3, &self.provider_name);
        put_object_string(&mut stream, 4, &self.path);
        for array in [5, 6] {
            stream.push(record::MEMBER_REFERENCE);
            stream.extend(i32::to_le_bytes(array));
        }
        let mut id = 7;
        let names = self.settings.iter().map(|(name, _)| name);
        let values = self.settings.iter().map(|(_, value)| value);
        let count = i32::try_from(self.settings.len()).unwrap_or(i32::MAX);
        for (array, strings) in [
            (5, names.collect::<Vec<_>>()),
            (6, values.collect::<Vec<_>>()),
        ] {
            stream.push(record::ARRAY_SINGLE_STRING);
            stream.extend(i32::to_le_bytes(array));
            stream.extend(i32::to_le_bytes(count));
            for string in strings {
                // A fresh string each time: whether .NET shares equal strings depends on the process that wrote them.
                put_object_string(&mut stream, id, string);
                id += 1;
            }
        }
        stream.push(record::MESSAGE_END);
        stream
    }

    /// Reads the \[MS-NRBF\] stream.
    ///
    /// # Errors
    ///
    /// [`Error::ProviderOptions`] where it is anything but one `DeploymentProviderOptions` object.
    pub fn from_stream(stream: &[u8]) -> Result<Self, Error> {
        let mut reader = StreamReader {
            rest: stream,
            strings: BTreeMap::new(),
        };
        let root = reader.header()?;
        let (library_id, library) = reader.library()?;
        reader.class(root, library_id)?;
        let provider_name = reader.string()?.unwrap_or_default();
        let path = reader.string()?.unwrap_or_default();
        let names_id = reader.reference()?;
        let values_id = reader.reference()?;
        let (first_id, first) = reader.array()?;
        let (second_id, second) = reader.array()?;
        reader.end()?;
        let (names, values) = if (first_id, second_id) == (names_id, values_id) {
            (first, second)
        } else if (second_id, first_id) == (names_id, values_id) {
            (second, first)
        } else {
            return Err(Error::provider_options(
                "the arrays of names and values are not the ones referred to",
            ));
        };
        if names.len() != values.len() {
            return Err(Error::provider_options(format!(
                "{} names of settings, but {} values",
                names.len(),
                values.len()
            )));
        }
        let settings = names
            .into_iter()
            .zip(values)
            .map(|(name, value)| {
                name.map(|name| (name, value.unwrap_or_default()))
                    .ok_or_else(|| Error::provider_options("a setting without a name"))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self {
            provider_name,
            path,
            settings,
            library,
        })
    }
}

/// `LengthPrefixedString`, \[MS-NRBF\] section 2.1.1.6: length in octets, seven bits at a time, then UTF-8.
fn put_string(stream: &mut Vec<u8>, string: &str) {
    let mut len = string.len();
    loop {
        let low = u8::try_from(len & 0x7F).unwrap_or(0x7F);
        len >>= 7;
        if len == 0 {
            stream.push(low);
            break;
        }
        stream.push(low | 0x80);
    }
    stream.extend(string.as_bytes());
}

fn put_object_string(stream: &mut Vec<u8>, id: i32, string: &str) {
    stream.push(record::BINARY_OBJECT_STRING);
    stream.extend(id.to_le_bytes());
    put_string(stream, string);
}

struct StreamReader<'s> {
    rest: &'s [u8],
    /// Strings by object id, for references to them.
    strings: BTreeMap<i32, String>,
}

impl<'s> StreamReader<'s> {
    fn take(&mut self, len: usize) -> Result<&'s [u8], Error> {
        let (head, tail) = self
            .rest
            .split_at_checked(len)
            .ok_or_else(|| Error::provider_options("the object ends too early"))?;
        self.rest = tail;
        Ok(head)
    }

    fn octet(&mut self) -> Result<u8, Error> {
        Ok(self.take(1)?[0])
    }

    fn int(&mut self) -> Result<i32, Error> {
        let mut octets = [0; 4];
        octets.copy_from_slice(self.take(4)?);
        Ok(i32::from_le_bytes(octets))
    }

    fn expect(&mut self, expected: u8, what: &str) -> Result<(), Error> {
        let found = self.octet()?;
        if found == expected {
            Ok(())
        } else {
            Err(Error::provider_options(format!(
                "expected {what} (record type {expected}), found record type {found}"
            )))
        }
    }

    fn text(&mut self) -> Result<String, Error> {
        let mut len = 0_usize;
        for shift in (0..).step_by(7) {
            // Section 2.1.1.6: at most five octets of length.
            if shift > 28 {
                return Err(Error::provider_options(
                    "a string length of over five octets",
                ));
            }
            let octet = self.octet()?;
            len |= usize::from(octet & 0x7F) << shift;
            if octet & 0x80 == 0 {
                break;
            }
        }
        let octets = self.take(len)?;
        core::str::from_utf8(octets)
            .map(str::to_owned)
            .map_err(|_| Error::provider_options("a string that is not UTF-8"))
    }

    fn header(&mut self) -> Result<i32, Error> {
        self.expect(record::STREAM_HEADER, "the stream header")?;
        let root = self.int()?;
        if (self.int()?, self.int()?, self.int()?) != (-1, 1, 0) {
            return Err(Error::provider_options("an unknown version of the stream"));
        }
        Ok(root)
    }

    fn library(&mut self) -> Result<(i32, String), Error> {
        self.expect(record::BINARY_LIBRARY, "the library")?;
        let id = self.int()?;
        let library = self.text()?;
        let assembly = library.split(',').next().unwrap_or_default();
        if !assembly.eq_ignore_ascii_case("Microsoft.Web.Deployment") {
            return Err(Error::provider_options(format!(
                "an object of `{assembly}`, not of Microsoft.Web.Deployment"
            )));
        }
        Ok((id, library))
    }

    fn class(&mut self, root: i32, library: i32) -> Result<(), Error> {
        self.expect(record::CLASS_WITH_MEMBERS_AND_TYPES, "the class")?;
        if self.int()? != root {
            return Err(Error::provider_options(
                "the object is not the stream's root",
            ));
        }
        let class = self.text()?;
        if class != CLASS {
            return Err(Error::provider_options(format!(
                "an object of the class `{class}`"
            )));
        }
        let mut known = self.int()? == 4;
        for member in MEMBERS {
            known = known && self.text()? == member;
        }
        known = known && self.take(4)? == MEMBER_TYPES && self.int()? == library;
        if known {
            Ok(())
        } else {
            Err(Error::provider_options(
                "members other than providerName, path, names and values",
            ))
        }
    }

    /// A string, a reference to one that came before, or null.
    fn string(&mut self) -> Result<Option<String>, Error> {
        let kind = self.octet()?;
        self.string_of(kind)
    }

    fn string_of(&mut self, kind: u8) -> Result<Option<String>, Error> {
        match kind {
            record::BINARY_OBJECT_STRING => {
                let id = self.int()?;
                let text = self.text()?;
                if self.strings.insert(id, text.clone()).is_some() {
                    return Err(Error::provider_options(format!(
                        "two strings of the number {id}"
                    )));
                }
                Ok(Some(text))
            }
            record::MEMBER_REFERENCE => {
                let id = self.int()?;
                self.strings.get(&id).cloned().map(Some).ok_or_else(|| {
                    Error::provider_options(format!("a reference to the missing string {id}"))
                })
            }
            record::OBJECT_NULL => Ok(None),
            other => Err(Error::provider_options(format!(
                "expected a string, found record type {other}"
            ))),
        }
    }

    fn reference(&mut self) -> Result<i32, Error> {
        self.expect(record::MEMBER_REFERENCE, "a reference to an array")?;
        self.int()
    }

    fn array(&mut self) -> Result<(i32, Vec<Option<String>>), Error> {
        self.expect(record::ARRAY_SINGLE_STRING, "an array of strings")?;
        let id = self.int()?;
        let count = usize::try_from(self.int()?)
            .ok()
            .filter(|&count| count <= MAX_SETTINGS)
            .ok_or_else(|| Error::provider_options(format!("more than {MAX_SETTINGS} settings")))?;
        let mut strings = Vec::new();
        while strings.len() < count {
            match self.octet()? {
                kind @ (record::OBJECT_NULL_MULTIPLE_256 | record::OBJECT_NULL_MULTIPLE) => {
                    let run = if kind == record::OBJECT_NULL_MULTIPLE_256 {
                        usize::from(self.octet()?)
                    } else {
                        usize::try_from(self.int()?).unwrap_or(0)
                    };
                    if run == 0 || run > count - strings.len() {
                        return Err(Error::provider_options(
                            "a run of nulls that does not fit its array",
                        ));
                    }
                    strings.resize(strings.len() + run, None);
                }
                kind => strings.push(self.string_of(kind)?),
            }
        }
        Ok((id, strings))
    }

    fn end(&mut self) -> Result<(), Error> {
        self.expect(record::MESSAGE_END, "the end of the message")?;
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(Error::provider_options("data after the end of the message"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> ProviderOptions {
        let mut options = ProviderOptions::new("runCommand", "a \"b\" & c");
        options.settings = vec![
            ("waitAttempts".into(), "10".into()),
            ("successReturnCodes".into(), "0x0;é".into()),
        ];
        options
    }

    /// gzip and base64 around any octets.
    fn wrap(stream: &[u8]) -> String {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(stream).unwrap();
        STANDARD.encode(gzip.finish().unwrap())
    }

    #[test]
    fn round_trip_keeps_order_and_text() {
        for options in [
            options(),
            ProviderOptions::new("contentPath", "x".repeat(300)),
        ] {
            assert_eq!(ProviderOptions::decode(&options.encode()).unwrap(), options);
        }
    }

    #[test]
    fn legal_variants_of_strings_are_read() {
        // The second setting's name and value are references to strings before them, the first value is null.
        let plain = options().to_stream();
        let arrays = plain
            .iter()
            .rposition(|&o| o == record::ARRAY_SINGLE_STRING)
            .unwrap();
        let names = plain[..arrays]
            .windows(5)
            .rposition(|w| w == [17, 5, 0, 0, 0])
            .unwrap();
        let mut stream = plain[..names].to_vec();
        stream.extend([
            17, 5, 0, 0, 0, 2, 0, 0, 0, 6, 7, 0, 0, 0, 1, b'n', 9, 7, 0, 0, 0,
        ]);
        stream.extend([17, 6, 0, 0, 0, 2, 0, 0, 0, 13, 2, 11]);
        let read = ProviderOptions::from_stream(&stream).unwrap();
        assert_eq!(
            read.settings,
            [
                ("n".to_owned(), String::new()),
                ("n".to_owned(), String::new())
            ]
        );
    }

    #[test]
    fn anything_but_the_one_object_is_refused() {
        let check = |stream: &[u8], expected: &str| {
            let message = ProviderOptions::decode(&wrap(stream))
                .unwrap_err()
                .to_string();
            assert!(message.contains(expected), "{message}");
        };
        let good = options().to_stream();
        for len in 0..good.len() {
            check(&good[..len], "");
        }
        let mut trailing = good.clone();
        trailing.push(0);
        check(&trailing, "data after the end of the message");
        let text = |from: &str, to: &str| -> Vec<u8> {
            let at = good
                .windows(from.len())
                .position(|w| w == from.as_bytes())
                .unwrap();
            let mut stream = good.clone();
            stream[at..at + from.len()].copy_from_slice(to.as_bytes());
            stream
        };
        check(
            &text("DeploymentProviderOptions", "DeploymentProviderOptionz"),
            "class",
        );
        check(
            &text("Microsoft.web", "Microsoft.wob"),
            "not of Microsoft.Web.Deployment",
        );
        check(&text("names", "nemes"), "members other than");
        let mut bomb = vec![0; usize::try_from(MAX_INFLATED_LEN).unwrap() + 1];
        bomb[0] = 0;
        check(&bomb, "inflates to more");
        assert!(ProviderOptions::decode("not base64!").is_err());
        assert!(ProviderOptions::decode(&"A".repeat(2 << 20)).is_err());
        // A second gzip member.
        let mut twice = STANDARD.decode(options().encode()).unwrap();
        twice.extend(twice.clone());
        assert!(ProviderOptions::decode(&STANDARD.encode(twice)).is_err());
    }

    #[test]
    fn a_count_in_the_data_allocates_nothing() {
        let mut stream = options().to_stream();
        let at = stream
            .windows(5)
            .position(|w| w == [17, 5, 0, 0, 0])
            .unwrap()
            + 5;
        stream[at..at + 4].copy_from_slice(&i32::MAX.to_le_bytes());
        assert!(ProviderOptions::from_stream(&stream).is_err());
    }
}
