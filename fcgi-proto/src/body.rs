//! The bodies of the discrete records (FastCGI Specification 1.0, sections 4.2, 5.1 and 5.5).

use crate::consts::BODY_LEN;
use crate::{Error, Flags, ProtocolStatus, RecordType, Role};

/// `FCGI_BeginRequestBody`, §5.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BeginRequest {
    /// What the Web server expects the application to do.
    pub role: Role,
    /// Whether the connection outlives the request.
    pub flags: Flags,
}

impl BeginRequest {
    /// The octets of the body.
    #[must_use]
    pub const fn encode(self) -> [u8; BODY_LEN] {
        let [role_1, role_0] = self.role.0.to_be_bytes();
        [role_1, role_0, self.flags.0, 0, 0, 0, 0, 0]
    }

    /// Reads the body; every combination of octets is one.
    #[must_use]
    pub const fn decode(octets: [u8; BODY_LEN]) -> Self {
        let [role_1, role_0, flags, ..] = octets;
        Self {
            role: Role(u16::from_be_bytes([role_1, role_0])),
            flags: Flags(flags),
        }
    }
}

/// `FCGI_EndRequestBody`, §5.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EndRequest {
    /// What a CGI program would have given to `exit`; 0 is success.
    pub app_status: u32,
    /// How the request ended as far as the protocol is concerned.
    pub protocol_status: ProtocolStatus,
}

impl EndRequest {
    /// The octets of the body.
    #[must_use]
    pub const fn encode(self) -> [u8; BODY_LEN] {
        let [b3, b2, b1, b0] = self.app_status.to_be_bytes();
        [b3, b2, b1, b0, self.protocol_status.0, 0, 0, 0]
    }

    /// Reads the body; every combination of octets is one.
    #[must_use]
    pub const fn decode(octets: [u8; BODY_LEN]) -> Self {
        let [b3, b2, b1, b0, protocol_status, ..] = octets;
        Self {
            app_status: u32::from_be_bytes([b3, b2, b1, b0]),
            protocol_status: ProtocolStatus(protocol_status),
        }
    }
}

/// `FCGI_UnknownTypeBody`, §4.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct UnknownType {
    /// The type that was not understood.
    pub record_type: RecordType,
}

impl UnknownType {
    /// The octets of the body.
    #[must_use]
    pub const fn encode(self) -> [u8; BODY_LEN] {
        [self.record_type.0, 0, 0, 0, 0, 0, 0, 0]
    }

    /// Reads the body; every combination of octets is one.
    #[must_use]
    pub const fn decode(octets: [u8; BODY_LEN]) -> Self {
        Self {
            record_type: RecordType(octets[0]),
        }
    }
}

/// Collects the eight octets of a body that arrives in pieces.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyBuffer {
    octets: [u8; BODY_LEN],
    filled: usize,
}

impl BodyBuffer {
    pub(crate) const fn new() -> Self {
        Self {
            octets: [0; BODY_LEN],
            filled: 0,
        }
    }

    pub(crate) fn clear(&mut self) {
        self.filled = 0;
    }

    /// Takes the next piece. The caller has compared `contentLength` with [`BODY_LEN`], so the pieces fit.
    pub(crate) fn push(&mut self, piece: &[u8]) {
        let free = &mut self.octets[self.filled..];
        let len = piece.len().min(free.len());
        free[..len].copy_from_slice(&piece[..len]);
        self.filled += len;
    }

    pub(crate) const fn octets(&self) -> [u8; BODY_LEN] {
        self.octets
    }
}

/// Checks that a discrete record has the body that the specification gives it.
pub(crate) fn check_body_len(
    record_type: RecordType,
    content_length: u16,
    offset: u64,
) -> Result<(), Error> {
    const EXPECTED: u16 = 8;
    const { assert!(EXPECTED as usize == BODY_LEN) };
    if content_length == EXPECTED {
        Ok(())
    } else {
        Err(Error::BodyLength {
            record_type,
            expected: EXPECTED,
            found: content_length,
            offset,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_have_the_layout_of_section_8() {
        let begin = BeginRequest {
            role: Role(0x0102),
            flags: Flags(0x83),
        };
        assert_eq!(begin.encode(), [1, 2, 0x83, 0, 0, 0, 0, 0]);
        assert_eq!(BeginRequest::decode(begin.encode()), begin);
        assert!(begin.flags.keep_conn());

        let end = EndRequest {
            app_status: 938,
            protocol_status: ProtocolStatus(7),
        };
        assert_eq!(end.encode(), [0, 0, 3, 0xaa, 7, 0, 0, 0]);
        assert_eq!(EndRequest::decode(end.encode()), end);

        let unknown = UnknownType {
            record_type: RecordType(77),
        };
        assert_eq!(unknown.encode(), [77, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(UnknownType::decode(unknown.encode()), unknown);
    }

    #[test]
    fn reserved_octets_are_ignored() {
        assert_eq!(
            BeginRequest::decode([0, 1, 0, 9, 9, 9, 9, 9]),
            BeginRequest::decode([0, 1, 0, 0, 0, 0, 0, 0])
        );
    }

    #[test]
    fn a_body_in_pieces_is_the_body() {
        let octets = [1, 2, 3, 4, 5, 6, 7, 8];
        for cut in 0..=8 {
            let mut buffer = BodyBuffer::new();
            buffer.push(&octets[..cut]);
            buffer.push(&octets[cut..]);
            assert_eq!(buffer.octets(), octets);
        }
    }
}
