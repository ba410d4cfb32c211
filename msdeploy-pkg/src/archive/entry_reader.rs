//! The data of one entry, held to what the directory says of it.

use std::io::{self, BufReader, Read, Seek, SeekFrom, Take};

use flate2::Crc;
use flate2::bufread::DeflateDecoder;

use super::fault::EntryFault;
use super::reader::PackageEntry;
use super::records::{
    FLAG_DATA_DESCRIPTOR, FLAG_ENCRYPTED, FLAG_UTF8, Fields, LOCAL_LEN, LocalHeader, STORED,
};
use crate::Error;

/// Unpacks an entry of a package; made by [`PackageReader::entry_reader`](super::PackageReader::entry_reader).
///
/// The end of the data is reported only after length and check sum were found to be those of the directory; until then
/// what was read cannot be trusted. An error of the package is an [`io::Error`] around an [`Error`].
#[derive(Debug)]
pub struct EntryReader<'r, R> {
    entry: PackageEntry,
    data: Data<'r, R>,
    crc: Crc,
    len: u64,
    /// Whether the end was reached and all was well.
    checked: bool,
}

#[derive(Debug)]
enum Data<'r, R> {
    Stored(Take<&'r mut R>),
    Deflated(DeflateDecoder<BufReader<Take<&'r mut R>>>),
}

impl<'r, R: Read + Seek> EntryReader<'r, R> {
    /// Reads the local header (APPNOTE §4.3.7), which has to agree with the directory.
    pub(crate) fn open(reader: &'r mut R, entry: &PackageEntry) -> Result<Self, Error> {
        let fault = |fault| Error::entry(&entry.path, fault);
        reader.seek(SeekFrom::Start(entry.offset))?;
        let mut fixed = [0; LOCAL_LEN];
        reader.read_exact(&mut fixed)?;
        let header =
            LocalHeader::parse(&fixed).ok_or_else(|| fault(EntryFault::HeadersDiffer("place")))?;
        // Another length may reach beyond the end of the file, where nothing can be read.
        if usize::from(header.name_len) != entry.raw_name.len() {
            return Err(fault(EntryFault::HeadersDiffer("name")));
        }
        let mut name = vec![0; entry.raw_name.len()];
        reader.read_exact(&mut name)?;
        if let Some(what) = difference(entry, &header.fields, &name) {
            return Err(fault(EntryFault::HeadersDiffer(what)));
        }
        let data_start = entry.offset
            + LOCAL_LEN as u64
            + u64::from(header.name_len)
            + u64::from(header.extra_len);
        if data_start + entry.compressed_size > entry.data_limit {
            return Err(fault(EntryFault::Overlap));
        }
        reader.seek(SeekFrom::Start(data_start))?;
        let packed = reader.take(entry.compressed_size);
        let data = if entry.method == STORED {
            Data::Stored(packed)
        } else {
            Data::Deflated(DeflateDecoder::new(BufReader::with_capacity(
                32 << 10,
                packed,
            )))
        };
        Ok(Self {
            entry: entry.clone(),
            data,
            crc: Crc::new(),
            len: 0,
            checked: false,
        })
    }
}

/// In what a local header differs from the directory.
fn difference(entry: &PackageEntry, local: &Fields, name: &[u8]) -> Option<&'static str> {
    const FLAGS: u16 = FLAG_ENCRYPTED | FLAG_DATA_DESCRIPTOR | FLAG_UTF8;
    let lengths = (
        local.crc32,
        u64::from(local.compressed_len),
        u64::from(local.len),
    );
    let stated = (entry.crc32, entry.compressed_size, entry.size);
    // With a data descriptor the local header may leave them out.
    let left_out = local.flags & FLAG_DATA_DESCRIPTOR != 0 && lengths == (0, 0, 0);
    [
        ("name", name != &*entry.raw_name),
        ("flags", local.flags & FLAGS != entry.flags & FLAGS),
        ("method", local.method != entry.method),
        ("lengths or check sum", lengths != stated && !left_out),
    ]
    .into_iter()
    .find_map(|(what, differs)| differs.then_some(what))
}

impl<R: Read> EntryReader<'_, R> {
    fn check_end(&mut self) -> Result<(), EntryFault> {
        let packed = match &self.data {
            Data::Stored(data) => self.entry.compressed_size - data.limit(),
            Data::Deflated(decoder) => decoder.total_in(),
        };
        if self.len != self.entry.size {
            return Err(EntryFault::Length {
                stated: self.entry.size,
                found: self.len,
            });
        }
        if packed != self.entry.compressed_size {
            return Err(EntryFault::PackedLength {
                stated: self.entry.compressed_size,
                found: packed,
            });
        }
        if self.crc.sum() != self.entry.crc32 {
            return Err(EntryFault::CheckSum {
                stated: self.entry.crc32,
                found: self.crc.sum(),
            });
        }
        Ok(())
    }

    fn fault(&self, fault: EntryFault) -> io::Error {
        io::Error::new(
            io::ErrorKind::InvalidData,
            Error::entry(&self.entry.path, fault),
        )
    }
}

impl<R: Read> Read for EntryReader<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() || self.checked {
            return Ok(0);
        }
        let read = match &mut self.data {
            Data::Stored(data) => data.read(buffer)?,
            Data::Deflated(decoder) => match decoder.read(buffer) {
                Ok(read) => read,
                // What the decoder has to say; errors of the file have other kinds.
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::InvalidInput
                            | io::ErrorKind::InvalidData
                            | io::ErrorKind::UnexpectedEof
                    ) =>
                {
                    return Err(self.fault(EntryFault::Data(error.to_string())));
                }
                Err(error) => return Err(error),
            },
        };
        if read == 0 {
            self.check_end().map_err(|fault| self.fault(fault))?;
            self.checked = true;
            return Ok(0);
        }
        self.crc.update(&buffer[..read]);
        self.len += read as u64;
        if self.len > self.entry.size {
            return Err(self.fault(EntryFault::Longer {
                stated: self.entry.size,
            }));
        }
        Ok(read)
    }
}

/// The error of the package in an error of an [`EntryReader`], or the I/O error that it is.
pub(crate) fn package_error(error: io::Error) -> Error {
    match error.downcast::<Error>() {
        Ok(error) => error,
        Err(error) => Error::Io(error),
    }
}
