//! The eight octets in front of every record (FastCGI Specification 1.0, section 3.3).

use crate::consts::{HEADER_LEN, VERSION_1};
use crate::{RecordType, RequestId};

/// `FCGI_Header`, §3.3, without `version`, which is 1, and `reserved`, which is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Header {
    /// `type`.
    pub record_type: RecordType,
    /// `requestId`; `None` is the null request id of management records.
    pub request_id: Option<RequestId>,
    /// `contentLength`, in octets.
    pub content_length: u16,
    /// `paddingLength`, in octets.
    pub padding_length: u8,
}

impl Header {
    /// A header whose padding brings the record to a multiple of eight octets, as §3.3 recommends.
    #[must_use]
    pub const fn new(
        record_type: RecordType,
        request_id: Option<RequestId>,
        content_length: u16,
    ) -> Self {
        // The two's complement of the last three bits is what is missing to the next multiple of eight.
        let padding_length = content_length.wrapping_neg().to_le_bytes()[0] & 7;
        Self {
            record_type,
            request_id,
            content_length,
            padding_length,
        }
    }

    /// The octets of the header.
    #[must_use]
    pub const fn encode(self) -> [u8; HEADER_LEN] {
        let [id_1, id_0] = match self.request_id {
            Some(id) => id.number().to_be_bytes(),
            None => [0, 0],
        };
        let [len_1, len_0] = self.content_length.to_be_bytes();
        [
            VERSION_1,
            self.record_type.0,
            id_1,
            id_0,
            len_1,
            len_0,
            self.padding_length,
            0,
        ]
    }

    /// Reads a header.
    ///
    /// # Errors
    /// The `version` octet, if it is not 1: what follows it has no known meaning.
    pub const fn decode(octets: [u8; HEADER_LEN]) -> Result<Self, u8> {
        let [
            version,
            record_type,
            id_1,
            id_0,
            len_1,
            len_0,
            padding_length,
            _reserved,
        ] = octets;
        if version != VERSION_1 {
            return Err(version);
        }
        Ok(Self {
            record_type: RecordType(record_type),
            request_id: RequestId::new(u16::from_be_bytes([id_1, id_0])),
            content_length: u16::from_be_bytes([len_1, len_0]),
            padding_length,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_eight_octets_in_network_order() {
        let header = Header::new(RecordType::STDIN, RequestId::new(0x0102), 0x0304);
        assert_eq!(header.encode(), [1, 5, 1, 2, 3, 4, 4, 0]);
        assert_eq!(Header::decode(header.encode()), Ok(header));
    }

    #[test]
    fn padding_brings_the_record_to_a_multiple_of_eight() {
        for content_length in 0..=u16::MAX {
            let header = Header::new(RecordType::STDOUT, None, content_length);
            let record_len = usize::from(content_length) + usize::from(header.padding_length);
            assert_eq!(record_len % 8, 0);
            assert!(header.padding_length < 8);
        }
    }

    #[test]
    fn reserved_is_ignored_and_another_version_is_not() {
        let header = Header::decode([1, 99, 0, 0, 0, 0, 255, 170]).unwrap();
        assert_eq!(header.record_type, RecordType(99));
        assert_eq!(header.request_id, None);
        assert_eq!(header.padding_length, 255);
        for version in (0..=255).filter(|version| *version != 1) {
            assert_eq!(Header::decode([version, 1, 0, 1, 0, 8, 0, 0]), Err(version));
        }
    }
}
