//! Deflate in parts that do not depend on each other, so that every core can do one.
//!
//! *RFC 1951, DEFLATE Compressed Data Format*. A file of up to [`PART_LEN`] octets is compressed in one piece. A larger
//! one is a stream of parts, each joined to the one before it by an empty stored block, as a flush does it (§3.2.4).
//! What the parts are depends on the data alone, so the same input gives the same octets on any number of cores.
//!
//! What is compressed already is stored. It is told by trying, not by its name: a file that does not get smaller is
//! stored; and where samples of a large part do not get smaller, the rest of it is not tried.

use flate2::Crc;
use libdeflater::{CompressionLvl, Compressor as Libdeflate};

use super::last_block::LastBlock;
use super::records::{DEFLATED, STORED};

/// Octets of a part. Longer ones compress hardly better, and take memory on every core.
pub(crate) const PART_LEN: usize = 1 << 20;

/// The level whose output is as long as that of zlib's level 6, or shorter.
const LEVEL: i32 = 6;
/// Good enough to see whether data gets smaller at all.
const TRIAL_LEVEL: i32 = 1;

/// Data that is shorter is compressed without trying samples of it.
const TRIAL_MIN_LEN: usize = 128 << 10;
const SAMPLE_LEN: usize = 16 << 10;

/// Octets of the longest stored block, §3.2.4.
const STORED_BLOCK_LEN: usize = 65_535;

/// What a compressor is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// A whole file.
    Whole,
    /// A part of a file that others follow.
    More,
    /// The last part of a file of several.
    Last,
}

/// What became of a part.
#[derive(Debug)]
pub(crate) struct Packed {
    /// Octets after packing.
    pub(crate) len: usize,
    /// Method of a whole file; parts are always deflated.
    pub(crate) method: u16,
    /// Of the data before it was packed.
    pub(crate) crc: Crc,
}

/// Compresses parts. It holds a megabyte or so, which is why each core has one and keeps it.
pub(crate) struct Compressor {
    main: Libdeflate,
    trial: Libdeflate,
    sample: Vec<u8>,
}

impl Compressor {
    pub(crate) fn new() -> Self {
        // Levels 0 to 12 exist; the default is 6.
        let with_level = |level| Libdeflate::new(CompressionLvl::new(level).unwrap_or_default());
        Self {
            main: with_level(LEVEL),
            trial: with_level(TRIAL_LEVEL),
            sample: Vec::new(),
        }
    }

    /// Packs `data` and appends it to `octets`.
    pub(crate) fn pack(&mut self, data: &[u8], part: Part, octets: &mut Vec<u8>) -> Packed {
        let start = octets.len();
        let mut crc = Crc::new();
        crc.update(data);
        let mut method = DEFLATED;
        if self.looks_packed(data) || !self.deflate(data, part, octets) {
            octets.truncate(start);
            if part == Part::Whole {
                method = STORED;
                octets.extend(data);
            } else {
                store(data, part == Part::Last, octets);
            }
        }
        Packed {
            len: octets.len() - start,
            method,
            crc,
        }
    }

    /// Whether samples from all over the data do not get smaller.
    fn looks_packed(&mut self, data: &[u8]) -> bool {
        if data.len() < TRIAL_MIN_LEN {
            return false;
        }
        self.sample
            .resize(self.trial.deflate_compress_bound(SAMPLE_LEN), 0);
        let total: usize = [1, 3, 5]
            .into_iter()
            .filter_map(|sixth| data.get(data.len() / 6 * sixth..))
            .map(|from| &from[..SAMPLE_LEN.min(from.len())])
            .map(|sample| {
                self.trial
                    .deflate_compress(sample, &mut self.sample)
                    .unwrap_or(SAMPLE_LEN)
            })
            .sum();
        total >= 3 * SAMPLE_LEN / 100 * 99
    }

    /// Whether the data got smaller; otherwise anything may have been appended.
    fn deflate(&mut self, data: &[u8], part: Part, octets: &mut Vec<u8>) -> bool {
        let start = octets.len();
        octets.resize(start + self.main.deflate_compress_bound(data.len()), 0);
        let Ok(len) = self.main.deflate_compress(data, &mut octets[start..]) else {
            return false;
        };
        octets.truncate(start + len);
        if len >= data.len() {
            return false;
        }
        if part != Part::More {
            return true;
        }
        // Another part follows: the last block is not the last, and the stream has to end with an octet.
        let Some(last) = LastBlock::find(&octets[start..]) else {
            return false;
        };
        octets[start + last.header / 8] &= !(1 << (last.header % 8));
        // The three zero bits of a stored block's header, where the last octet has no room for them.
        octets.resize(start + (last.end + 3).div_ceil(8), 0);
        octets.extend([0x00, 0x00, 0xff, 0xff]);
        true
    }
}

/// Stored blocks, §3.2.4. A part begins with an octet, so that each header is one.
fn store(data: &[u8], is_last: bool, octets: &mut Vec<u8>) {
    let mut rest = data;
    loop {
        let (block, behind) = rest.split_at(rest.len().min(STORED_BLOCK_LEN));
        rest = behind;
        octets.push(u8::from(is_last && rest.is_empty()));
        // A block has at most 65,535 octets.
        let len = u16::try_from(block.len()).unwrap_or(u16::MAX);
        octets.extend(len.to_le_bytes());
        octets.extend((!len).to_le_bytes());
        octets.extend(block);
        if rest.is_empty() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::DeflateDecoder;

    use super::*;

    /// Numbers without a pattern, always the same.
    fn noise(len: usize) -> Vec<u8> {
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        (0..len)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state.to_le_bytes()[3]
            })
            .collect()
    }

    fn text(len: usize) -> Vec<u8> {
        let words = [
            "def ", "return ", "self.", "request", "(", ")", ":\n    ", "response", " = ", "0x",
        ];
        let mut out = Vec::new();
        for number in noise(len) {
            out.extend(words[usize::from(number) % words.len()].as_bytes());
            if number < 40 {
                out.push(number + b'A');
            }
            if out.len() >= len {
                break;
            }
        }
        out.truncate(len);
        out
    }

    fn unpack(octets: &[u8]) -> Vec<u8> {
        let mut data = Vec::new();
        let mut decoder = DeflateDecoder::new(octets);
        decoder.read_to_end(&mut data).unwrap();
        assert_eq!(decoder.total_in(), octets.len() as u64);
        data
    }

    #[test]
    fn parts_join_to_one_stream() {
        let mut compressor = Compressor::new();
        let parts = [
            text(1),
            text(100),
            text(PART_LEN),
            noise(PART_LEN),
            vec![0; PART_LEN],
            noise(5000),
            [noise(70_000), text(900_000)].concat(),
            Vec::new(),
            b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa".to_vec(),
        ];
        // Each part last once, and all before it.
        for last in 0..parts.len() {
            let mut stream = Vec::new();
            for (number, data) in parts[..=last].iter().enumerate() {
                let part = if number == last {
                    Part::Last
                } else {
                    Part::More
                };
                let len = stream.len();
                let packed = compressor.pack(data, part, &mut stream);
                assert_eq!((packed.method, packed.len), (DEFLATED, stream.len() - len));
            }
            assert_eq!(unpack(&stream), parts[..=last].concat(), "{last}");
        }
    }

    #[test]
    fn small_parts_of_every_length_join() {
        let mut compressor = Compressor::new();
        let data = text(400);
        for len in 0..data.len() {
            let (first, second) = data.split_at(len);
            let mut stream = Vec::new();
            compressor.pack(first, Part::More, &mut stream);
            compressor.pack(second, Part::Last, &mut stream);
            assert_eq!(unpack(&stream), data, "{len}");
        }
    }

    #[test]
    fn what_does_not_get_smaller_is_stored() {
        let mut compressor = Compressor::new();
        let mut check = |data: Vec<u8>, method: u16, most: usize| {
            let packed = compressor.pack(&data, Part::Whole, &mut Vec::new());
            assert_eq!(packed.method, method);
            assert!(packed.len <= most, "{}", packed.len);
            let mut crc = Crc::new();
            crc.update(&data);
            assert_eq!(packed.crc.sum(), crc.sum());
        };
        check(noise(300), STORED, 300);
        check(noise(500_000), STORED, 500_000);
        check(text(4096), DEFLATED, 2000);
        check(text(500_000), DEFLATED, 250_000);
        check(Vec::new(), STORED, 0);
        // A compressible head or tail does not make the samples compressible, nor the other way round.
        check([text(100_000), noise(900_000)].concat(), STORED, 1_000_000);
        check([text(500_000), noise(500_000)].concat(), DEFLATED, 700_000);
        let packed = compressor.pack(&noise(PART_LEN), Part::More, &mut Vec::new());
        assert!(packed.len < PART_LEN + 100);
    }
}
