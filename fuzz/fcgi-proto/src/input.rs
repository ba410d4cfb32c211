//! How a fuzzer's octets are read.

use fcgi_proto::{Error, Limit, Limits, RecordType, RequestId};

/// Settings, the places where the octets are cut, and the octets.
///
/// It is written as one octet of settings, one that says how many cuts there are, the length of each piece in an octet,
/// and the rest. A plain form, so that a mutation changes one thing, and a seed is a trace with a few octets in front.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// Each target reads its own settings from the bits.
    pub settings: u8,
    /// How long the pieces are, in turn; 0 is 256.
    cuts: &'a [u8],
    /// What the machine is fed.
    pub octets: &'a [u8],
}

impl<'a> Input<'a> {
    /// The input that is written as `octets`; every one is.
    #[must_use]
    pub fn new(octets: &'a [u8]) -> Self {
        let (settings, octets) = octets.split_first().unwrap_or((&0, octets));
        let (count, octets) = octets.split_first().unwrap_or((&0, octets));
        let (cuts, octets) = octets.split_at(usize::from(*count).min(octets.len()));
        Self {
            settings: *settings,
            cuts,
            octets,
        }
    }

    /// Whether the bit `number` of the settings is set.
    #[must_use]
    pub fn setting(&self, number: u8) -> bool {
        self.settings >> number & 1 == 1
    }

    /// The pieces, and the octet that made each so long. Without cuts, one octet at a time.
    pub fn pieces(&self) -> impl Iterator<Item = (u8, &'a [u8])> {
        let mut rest = self.octets;
        let cuts = if self.cuts.is_empty() {
            &[1]
        } else {
            self.cuts
        };
        let mut cuts = cuts.iter().cycle();
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let cut = *cuts.next()?;
            let len = if cut == 0 { 256 } else { usize::from(cut) };
            let piece;
            (piece, rest) = rest.split_at(len.min(rest.len()));
            Some((cut, piece))
        })
    }

    /// Limits that a short input can reach, or the default ones.
    #[must_use]
    pub fn limits(&self) -> Limits {
        let mut limits = Limits::default();
        if self.setting(0) {
            limits.params_len = 500;
            limits.params_pairs = 5;
            limits.name_len = 50;
            limits.value_len = 150;
            limits.requests = 3;
            limits.unread_len = 1000;
            limits.replies_len = 200;
            limits.management_len = 100;
        }
        limits
    }

    /// The octets that a machine may hold: what the limits allow, or where they are wide, a multiple of what was sent.
    ///
    /// A vector that grows holds the old and the new octets at once, the new ones up to twice what is needed. Each
    /// request has its octets, an index of 12 octets a pair, and itself; so have the buffers that wait to be used again.
    pub(crate) fn memory_bound(&self, limits: &Limits) -> usize {
        let params = limits.params_len + 12 * limits.params_pairs + 200;
        let allowed = 2 * limits.requests * params + limits.replies_len + limits.management_len;
        // The shortest pair is two octets, its index 12. The shortest question is eight octets, its reply 80. A request
        // begins with 16 octets.
        let sent = 4096 + 40 * self.octets.len();
        3 * allowed.min(sent)
    }
}

/// A record as a plain reading of its header finds it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PlainRecord<'a> {
    pub(crate) record_type: RecordType,
    pub(crate) id: Option<RequestId>,
    /// Octets of header and content, which count as unread where the record is dropped.
    pub(crate) counted: u64,
    /// Header, content and padding.
    pub(crate) octets: &'a [u8],
}

/// The records of `octets` up to the first that is cut off.
pub(crate) fn whole_records(mut octets: &[u8]) -> impl Iterator<Item = PlainRecord<'_>> {
    std::iter::from_fn(move || {
        let &[_, record_type, id1, id0, len1, len0, padding, _] = octets.first_chunk()?;
        let counted = 8 + u64::from(u16::from_be_bytes([len1, len0]));
        let len = usize::try_from(counted + u64::from(padding)).ok()?;
        let record;
        (record, octets) = octets.split_at_checked(len)?;
        Some(PlainRecord {
            record_type: RecordType(record_type),
            id: RequestId::new(u16::from_be_bytes([id1, id0])),
            counted,
            octets: record,
        })
    })
}

/// Whether a connection failed because too much was dropped.
pub(crate) const fn is_unread_limit(error: Error) -> bool {
    matches!(
        error,
        Error::LimitReached {
            limit: Limit::UnreadLen,
            ..
        }
    )
}
