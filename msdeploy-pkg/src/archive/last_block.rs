//! Finding the last block of a deflate stream, so that another stream can follow it.
//!
//! *RFC 1951, DEFLATE Compressed Data Format* §3.2. Only the lengths of codes are followed; nothing is unpacked, which
//! is why this costs a small part of compressing.

/// Where the last block lies, in bits from the stream's begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LastBlock {
    /// The block's `BFINAL` bit.
    pub(crate) header: usize,
    /// The bit behind the block.
    pub(crate) end: usize,
}

impl LastBlock {
    /// The last block of a complete stream; `None` where `octets` are none.
    pub(crate) fn find(octets: &[u8]) -> Option<Self> {
        let mut bits = Bits::new(octets);
        let mut codes = None;
        loop {
            let header = bits.position();
            bits.refill();
            let is_last = bits.take(1) == 1;
            match bits.take(2) {
                0 => bits.skip_stored()?,
                1 => bits.skip_compressed(&mut Codes::fixed())?,
                2 => {
                    let codes = codes.get_or_insert_with(Codes::default);
                    codes.read(&mut bits)?;
                    bits.skip_compressed(codes)?;
                }
                _ => return None,
            }
            if is_last {
                let end = bits.position();
                return (end <= octets.len() * 8).then_some(Self { header, end });
            }
        }
    }
}

/// The bits of a stream, the lowest of each octet first.
struct Bits<'a> {
    octets: &'a [u8],
    /// Octets that went into `bits`.
    at: usize,
    bits: u64,
    count: usize,
}

impl<'a> Bits<'a> {
    const fn new(octets: &'a [u8]) -> Self {
        Self {
            octets,
            at: 0,
            bits: 0,
            count: 0,
        }
    }

    const fn position(&self) -> usize {
        self.at * 8 - self.count
    }

    /// Has at least 56 bits after it; beyond the end they are zeros.
    fn refill(&mut self) {
        let word = match self.octets.get(self.at..).and_then(<[u8]>::first_chunk) {
            Some(word) => u64::from_le_bytes(*word),
            None => {
                let mut word = [0; 8];
                let rest = self.octets.get(self.at..).unwrap_or_default();
                word[..rest.len()].copy_from_slice(rest);
                u64::from_le_bytes(word)
            }
        };
        // As many whole octets as there is room for; what is or-ed twice is the same bits.
        self.bits |= word << self.count;
        self.at += (63 - self.count) >> 3;
        self.count |= 56;
    }

    fn skip(&mut self, count: usize) {
        self.bits >>= count;
        self.count -= count;
    }

    /// The next bits, at most 16.
    fn take(&mut self, count: usize) -> usize {
        let bits = self.peek(count);
        self.skip(count);
        bits
    }

    fn peek(&self, count: usize) -> usize {
        usize::from((self.bits & 0xffff) as u16) & ((1 << count) - 1)
    }

    /// §3.2.4.
    fn skip_stored(&mut self) -> Option<()> {
        let at = self.position().div_ceil(8);
        let len = u16::from_le_bytes(*self.octets.get(at..)?.first_chunk()?);
        *self = Self::new(self.octets);
        self.at = at + 4 + usize::from(len);
        (self.at <= self.octets.len()).then_some(())
    }

    /// §3.2.5: literals and pairs of length and distance up to the end of the block.
    fn skip_compressed(&mut self, codes: &mut Codes) -> Option<()> {
        loop {
            self.refill();
            if self.at > self.octets.len() + 16 {
                return None;
            }
            // Three codes have at most 45 bits.
            let mut symbol = codes.literals.next(self)?;
            for _ in 0..2 {
                if symbol != Symbol::LITERAL {
                    break;
                }
                symbol = codes.literals.next(self)?;
            }
            match symbol {
                Symbol::LITERAL => {}
                Symbol::END => return Some(()),
                Symbol(extra) => {
                    self.refill();
                    self.skip(extra.into());
                    let Symbol(extra) = codes.distances.next(self)?;
                    self.skip(extra.into());
                }
            }
        }
    }
}

/// A number that is known to be below 256.
const fn octet(number: usize) -> u8 {
    number.to_le_bytes()[0]
}

/// What follows a code: a number of extra bits, or one of the constants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Symbol(u8);

impl Symbol {
    const LITERAL: Self = Self(64);
    const END: Self = Self(65);
    const INVALID: Self = Self(66);

    const fn of_literal(number: usize) -> Self {
        match number {
            0..256 => Self::LITERAL,
            256 => Self::END,
            257..265 | 285 => Self(0),
            265..285 => Self(octet((number - 261) / 4)),
            _ => Self::INVALID,
        }
    }

    const fn of_distance(number: usize) -> Self {
        match number {
            0..4 => Self(0),
            4..30 => Self(octet(number / 2 - 1)),
            _ => Self::INVALID,
        }
    }

    /// The alphabet of §3.2.7 is read by number.
    const fn of_length(number: usize) -> Self {
        Self(octet(number))
    }
}

/// The two codes of a block.
#[derive(Debug)]
struct Codes {
    literals: Code,
    distances: Code,
    lengths: Code,
}

impl Default for Codes {
    fn default() -> Self {
        Self {
            literals: Code::new(Symbol::of_literal),
            distances: Code::new(Symbol::of_distance),
            lengths: Code::new(Symbol::of_length),
        }
    }
}

impl Codes {
    /// §3.2.6.
    fn fixed() -> Self {
        let mut codes = Self::default();
        let mut lengths = [8; 288];
        lengths[144..256].fill(9);
        lengths[256..280].fill(7);
        codes.literals.fill(&lengths);
        codes.distances.fill(&[5; 30]);
        codes
    }

    /// §3.2.7.
    fn read(&mut self, bits: &mut Bits<'_>) -> Option<()> {
        const ORDER: [usize; 19] = [
            16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
        ];
        bits.refill();
        let literals = bits.take(5) + 257;
        let distances = bits.take(5) + 1;
        let count = bits.take(4) + 4;
        let mut lengths = [0; 320];
        for &number in &ORDER[..count] {
            bits.refill();
            lengths[number] = octet(bits.take(3));
        }
        self.lengths.fill(&lengths[..19]);
        let mut lengths = [0; 320];
        let mut at = 0;
        while at < literals + distances {
            bits.refill();
            let Symbol(symbol) = self.lengths.next(bits)?;
            let (length, repeat) = match symbol {
                0..16 => (symbol, 1),
                16 => (*lengths.get(at.checked_sub(1)?)?, 3 + bits.take(2)),
                17 => (0, 3 + bits.take(3)),
                18 => (0, 11 + bits.take(7)),
                _ => return None,
            };
            lengths.get_mut(at..at + repeat)?.fill(length);
            at += repeat;
        }
        if at != literals + distances {
            return None;
        }
        self.literals.fill(&lengths[..literals]);
        self.distances.fill(&lengths[literals..at]);
        Some(())
    }
}

/// Codes of at most so many bits are looked up at once; the longer ones are rare.
const TABLE_BITS: usize = 11;
const MAX_BITS: usize = 15;

/// A prefix code, §3.2.2.
#[derive(Debug)]
struct Code {
    symbol_of: fn(usize) -> Symbol,
    /// By the next bits: how many of them are the code, 0 for a longer one, and the symbol.
    table: Box<[(u8, Symbol); 1 << TABLE_BITS]>,
    /// How many codes have each length.
    counts: [usize; MAX_BITS + 1],
    /// The symbols in the order of their codes.
    sorted: Vec<Symbol>,
}

impl Code {
    fn new(symbol_of: fn(usize) -> Symbol) -> Self {
        Self {
            symbol_of,
            table: Box::new([(0, Symbol::INVALID); 1 << TABLE_BITS]),
            counts: [0; MAX_BITS + 1],
            sorted: Vec::new(),
        }
    }

    fn fill(&mut self, lengths: &[u8]) {
        self.counts.fill(0);
        self.sorted.clear();
        self.table.fill((0, Symbol::INVALID));
        let mut code = 0_usize;
        for length in 1..=MAX_BITS {
            code <<= 1;
            for (number, _) in lengths
                .iter()
                .enumerate()
                .filter(|(_, found)| usize::from(**found) == length)
            {
                let symbol = (self.symbol_of)(number);
                self.counts[length] += 1;
                self.sorted.push(symbol);
                if length <= TABLE_BITS {
                    // A code is written from its highest bit, so the table is by the code turned round.
                    let reversed = code.reverse_bits() >> (usize::BITS as usize - length);
                    for entry in self.table.iter_mut().skip(reversed).step_by(1 << length) {
                        *entry = (octet(length), symbol);
                    }
                }
                code += 1;
            }
        }
    }

    #[inline]
    fn next(&self, bits: &mut Bits<'_>) -> Option<Symbol> {
        let (length, symbol) = self.table[bits.peek(TABLE_BITS)];
        if length > 0 {
            bits.skip(length.into());
            return Some(symbol);
        }
        self.next_long(bits)
    }

    /// Bit by bit, by how many codes there are of each length.
    #[cold]
    fn next_long(&self, bits: &mut Bits<'_>) -> Option<Symbol> {
        let (mut code, mut first, mut before) = (0_usize, 0_usize, 0_usize);
        for count in &self.counts[1..] {
            code |= bits.take(1);
            if code < first + count {
                let symbol = *self.sorted.get(before + code - first)?;
                return (symbol != Symbol::INVALID).then_some(symbol);
            }
            before += count;
            first = (first + count) << 1;
            code <<= 1;
        }
        None
    }
}
