//! Writing a package: the same input gives the same octets, on every system.
//!
//! The fields are those that Web Deploy's own packages have: made by version 2.0 on FAT, no extra fields, no zip64,
//! deflated files and stored folders and empty files, Windows attributes. Names that are not ASCII are written as UTF-8
//! with the flag that says so (general purpose bit 11).

use std::collections::BTreeMap;
use std::io::{self, Read, Seek, Write};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, System, ZipWriter};

use super::names::{NameFault, check_entry_name};
use crate::Error;

/// Octets of a file that Web Deploy can still read.
const MAX_ENTRY_LEN: u64 = 2_147_483_647;
/// Entries that an archive without zip64 can list.
const MAX_ENTRIES: usize = 65_535;
/// Octets that an archive without zip64 can have.
const MAX_ARCHIVE_LEN: u64 = u32::MAX as u64;

/// `FILE_ATTRIBUTE_ARCHIVE` and `FILE_ATTRIBUTE_DIRECTORY`.
const ATTRIBUTE_ARCHIVE: u32 = 0x20;
const ATTRIBUTE_DIRECTORY: u32 = 0x10;

/// The modification time that all entries get, to the two seconds that the format has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timestamp(DateTime);

impl Default for Timestamp {
    /// 1980-01-01 00:00:00, the first that a zip archive can hold.
    fn default() -> Self {
        Self(DateTime::DEFAULT)
    }
}

impl Timestamp {
    /// A time in seconds since 1970-01-01 00:00:00 UTC, as `SOURCE_DATE_EPOCH` gives it. Times before 1980 become
    /// 1980-01-01.
    ///
    /// # Errors
    ///
    /// [`Error::Time`] for a time after 2107.
    pub fn from_unix(seconds: u64) -> Result<Self, Error> {
        const FIRST: u64 = 315_532_800; // 1980-01-01
        if seconds < FIRST {
            return Ok(Self::default());
        }
        let fault = || Error::Time {
            text: format!("{seconds} s after 1970"),
        };
        let (days, rest) = (seconds / 86_400, seconds % 86_400);
        // Days to civil date: years of 400 begin in March, so that the leap day is the last one.
        let days = days + 719_468;
        let (era, day_of_era) = (days / 146_097, days % 146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 {
            month_from_march + 3
        } else {
            month_from_march - 9
        };
        let year = year_of_era + era * 400 + u64::from(month <= 2);
        let small = |number: u64| u8::try_from(number).map_err(|_| fault());
        DateTime::from_date_and_time(
            u16::try_from(year).map_err(|_| fault())?,
            small(month)?,
            small(day)?,
            small(rest / 3600)?,
            small(rest % 3600 / 60)?,
            small(rest % 60)?,
        )
        .map(Self)
        .map_err(|_| fault())
    }
}

/// A package being written, entry by entry, in the order given.
///
/// ```
/// use std::io::Cursor;
/// use msdeploy_pkg::{PackageWriter, Timestamp};
///
/// let mut package = PackageWriter::new(Cursor::new(Vec::new()), Timestamp::default());
/// package.add("Manifest.xml", &mut &b"<MSDeploy.iisApp><iisApp path=\"App\" /></MSDeploy.iisApp>"[..])?;
/// package.add("App/web.config", &mut &b"<configuration />"[..])?;
/// let octets = package.finish()?.into_inner();
/// assert!(octets.starts_with(b"PK"));
/// # Ok::<(), msdeploy_pkg::Error>(())
/// ```
#[derive(Debug)]
pub struct PackageWriter<W: Write + Seek> {
    zip: ZipWriter<W>,
    options: SimpleFileOptions,
    /// Names as Windows compares them, with the name as written and whether it is a folder.
    names: BTreeMap<String, (String, bool)>,
    buffer: Vec<u8>,
}

impl<W: Write + Seek> PackageWriter<W> {
    /// A package without entries yet; every entry gets the time `modified`.
    pub fn new(writer: W, modified: Timestamp) -> Self {
        Self {
            zip: ZipWriter::new(writer),
            options: SimpleFileOptions::default()
                .system(System::Dos)
                .last_modified_time(modified.0),
            names: BTreeMap::new(),
            buffer: vec![0; 64 << 10],
        }
    }

    /// Adds a file with all that `reader` gives, and returns its length in octets.
    ///
    /// # Errors
    ///
    /// [`Error::Name`] for a name that Windows cannot hold or that is taken, whatever its case; [`Error::Limit`] for a
    /// file or archive that Web Deploy could not read; [`Error::Io`] where reading or writing fails. After a limit or
    /// an I/O error the archive is incomplete and must not be used.
    pub fn add(&mut self, name: &str, reader: &mut impl Read) -> Result<u64, Error> {
        if name.ends_with('/') {
            return Err(Error::Name {
                name: name.to_owned(),
                fault: NameFault::Empty,
            });
        }
        self.claim(name, false)?;
        let mut read = fill(reader, &mut self.buffer)?;
        let method = if read == 0 {
            CompressionMethod::Stored
        } else {
            CompressionMethod::Deflated
        };
        let level = (method == CompressionMethod::Deflated).then_some(6);
        self.zip.start_file(
            name,
            self.options
                .compression_method(method)
                .compression_level(level)
                .external_attributes(ATTRIBUTE_ARCHIVE),
        )?;
        let mut len = 0_u64;
        while read > 0 {
            len += read as u64;
            if len > MAX_ENTRY_LEN {
                return Err(Error::Limit {
                    what: format!("the length of `{name}`"),
                    found: len,
                    limit: MAX_ENTRY_LEN,
                });
            }
            self.zip.write_all(&self.buffer[..read])?;
            read = fill(reader, &mut self.buffer)?;
        }
        Ok(len)
    }

    /// Adds a folder.
    ///
    /// # Errors
    ///
    /// As [`PackageWriter::add`].
    pub fn add_directory(&mut self, name: &str) -> Result<(), Error> {
        let name = name.strip_suffix('/').unwrap_or(name);
        self.claim(name, true)?;
        self.zip.add_directory(
            format!("{name}/"),
            self.options.external_attributes(ATTRIBUTE_DIRECTORY),
        )?;
        Ok(())
    }

    /// Writes the archive's directory and gives the writer back.
    ///
    /// # Errors
    ///
    /// [`Error::Limit`] for an archive that Web Deploy could not read; [`Error::Io`] where writing fails.
    pub fn finish(self) -> Result<W, Error> {
        let mut writer = self.zip.finish()?;
        let len = writer.stream_position()?;
        if len > MAX_ARCHIVE_LEN {
            return Err(Error::Limit {
                what: "the length of the package".to_owned(),
                found: len,
                limit: MAX_ARCHIVE_LEN,
            });
        }
        Ok(writer)
    }

    fn claim(&mut self, name: &str, is_directory: bool) -> Result<(), Error> {
        let refuse = |fault: NameFault| Error::Name {
            name: name.to_owned(),
            fault,
        };
        check_entry_name(name).map_err(refuse)?;
        if self.names.len() >= MAX_ENTRIES {
            return Err(Error::Limit {
                what: "the number of entries".to_owned(),
                found: self.names.len() as u64 + 1,
                limit: MAX_ENTRIES as u64,
            });
        }
        let key = name.to_uppercase();
        if let Some((first, _)) = self.names.get(&key) {
            return Err(refuse(NameFault::Duplicate(first.clone())));
        }
        for (slash, _) in key.match_indices('/') {
            if let Some((above, false)) = self.names.get(&key[..slash]) {
                return Err(refuse(NameFault::InsideFile(above.clone())));
            }
        }
        let below = format!("{key}/");
        if !is_directory
            && let Some((other, _)) = self.names.range(below.clone()..).next()
            && other.starts_with(&below)
        {
            return Err(refuse(NameFault::InsideFile(name.to_owned())));
        }
        self.names.insert(key, (name.to_owned(), is_directory));
        Ok(())
    }
}

/// Fills the buffer as far as the reader goes: how the data comes in pieces must not show in the archive.
fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut len = 0;
    while len < buffer.len() {
        match reader.read(&mut buffer[len..]) {
            Ok(0) => break,
            Ok(read) => len += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(len)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::archive::{PackageLimits, PackageReader};

    fn package() -> PackageWriter<Cursor<Vec<u8>>> {
        PackageWriter::new(Cursor::new(Vec::new()), Timestamp::default())
    }

    /// Gives one octet at a time.
    struct Slowly<'a>(&'a [u8]);

    impl Read for Slowly<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let len = self.0.len().min(buffer.len()).min(1);
            buffer[..len].copy_from_slice(&self.0[..len]);
            self.0 = &self.0[len..];
            Ok(len)
        }
    }

    fn sample(slowly: bool) -> Vec<u8> {
        let data = b"0123456789".repeat(20_000);
        let mut package = package();
        package
            .add("Manifest.xml", &mut &b"<m><iisApp path='App'/></m>"[..])
            .unwrap();
        package.add_directory("App").unwrap();
        if slowly {
            package.add("App/data", &mut Slowly(&data)).unwrap();
        } else {
            package.add("App/data", &mut data.as_slice()).unwrap();
        }
        package.add("App/empty", &mut io::empty()).unwrap();
        package.add("App/grün.txt", &mut &b"x"[..]).unwrap();
        package.finish().unwrap().into_inner()
    }

    #[test]
    fn same_input_same_octets() {
        assert_eq!(sample(false), sample(true));
    }

    #[test]
    fn what_is_written_reads_back() {
        let mut package =
            PackageReader::open(Cursor::new(sample(false)), PackageLimits::default()).unwrap();
        let entries = package.entries().to_vec();
        let paths: Vec<&str> = entries.iter().map(|entry| entry.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "Manifest.xml",
                "App",
                "App/data",
                "App/empty",
                "App/grün.txt"
            ]
        );
        let mut data = Vec::new();
        package.read(&entries[2], &mut data).unwrap();
        assert_eq!(data, b"0123456789".repeat(20_000));
    }

    #[test]
    fn fields_are_those_of_web_deploy() {
        let octets = sample(false);
        let mut at = octets.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
        let word = |at: usize| u16::from_le_bytes([octets[at], octets[at + 1]]);
        // Version made by and system, version needed, flags, method, time, date, attributes.
        let expected = [
            (20, 20, 0, 8, 0x20),
            (20, 20, 0, 0, 0x10),
            (20, 20, 0, 8, 0x20),
            (10, 10, 0, 0, 0x20),
            (20, 20, 0x800, 8, 0x20),
        ];
        for (made_by, needed, flags, method, attributes) in expected {
            assert_eq!(&octets[at..at + 4], b"PK\x01\x02");
            assert_eq!((word(at + 4), word(at + 6)), (made_by, needed));
            assert_eq!((word(at + 8), word(at + 10)), (flags, method));
            assert_eq!(
                (word(at + 12), word(at + 14)),
                (0, 0x21),
                "1980-01-01 00:00:00"
            );
            assert_eq!(
                (word(at + 30), word(at + 32)),
                (0, 0),
                "no extra field, no comment"
            );
            assert_eq!((word(at + 38), word(at + 40)), (attributes, 0));
            at += 46 + usize::from(word(at + 28));
        }
        assert_eq!(
            &octets[at..at + 4],
            b"PK\x05\x06",
            "no zip64 record before the end"
        );
    }

    #[test]
    fn names_that_a_package_cannot_hold() {
        let mut package = package();
        package.add("App/a", &mut io::empty()).unwrap();
        let mut refused = |name: &str, expected: &str| {
            let error = package.add(name, &mut io::empty()).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        };
        refused("../a", "`.` and `..` are not names");
        refused("App/con.txt", "device");
        refused("app/A", "another entry is called `App/a`");
        refused("App/A/b", "`App/a` is a file");
        refused("App", "`App` is a file");
        refused("folder/", "empty");
        package.add_directory("App").unwrap();
    }

    #[test]
    fn times() {
        let check = |seconds: u64, expected: (u16, u8, u8, u8, u8, u8)| {
            let time = Timestamp::from_unix(seconds).unwrap().0;
            assert_eq!(
                (
                    time.year(),
                    time.month(),
                    time.day(),
                    time.hour(),
                    time.minute(),
                    time.second()
                ),
                expected
            );
        };
        check(0, (1980, 1, 1, 0, 0, 0));
        check(315_532_800, (1980, 1, 1, 0, 0, 0));
        check(951_782_400, (2000, 2, 29, 0, 0, 0));
        check(1_351_468_800, (2012, 10, 29, 0, 0, 0));
        check(1_767_225_598, (2025, 12, 31, 23, 59, 58));
        check(4_354_819_198, (2107, 12, 31, 23, 59, 58));
        assert!(Timestamp::from_unix(4_354_819_200).is_err());
        assert!(Timestamp::from_unix(u64::MAX).is_err());
    }
}
