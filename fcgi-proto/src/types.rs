//! The numbers of the protocol as types (FastCGI Specification 1.0, section 8).
//!
//! Each is a newtype rather than an enumeration, so that a number which the specification does not know survives
//! decoding and encoding.

use core::fmt;
use core::num::NonZeroU16;

/// The `type` component of a header, §3.3 and §8.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordType(pub u8);

impl RecordType {
    /// `FCGI_BEGIN_REQUEST`, §5.1.
    pub const BEGIN_REQUEST: Self = Self(1);
    /// `FCGI_ABORT_REQUEST`, §5.4.
    pub const ABORT_REQUEST: Self = Self(2);
    /// `FCGI_END_REQUEST`, §5.5.
    pub const END_REQUEST: Self = Self(3);
    /// `FCGI_PARAMS`, §5.2.
    pub const PARAMS: Self = Self(4);
    /// `FCGI_STDIN`, §5.3.
    pub const STDIN: Self = Self(5);
    /// `FCGI_STDOUT`, §5.3.
    pub const STDOUT: Self = Self(6);
    /// `FCGI_STDERR`, §5.3.
    pub const STDERR: Self = Self(7);
    /// `FCGI_DATA`, §5.3.
    pub const DATA: Self = Self(8);
    /// `FCGI_GET_VALUES`, §4.1.
    pub const GET_VALUES: Self = Self(9);
    /// `FCGI_GET_VALUES_RESULT`, §4.1.
    pub const GET_VALUES_RESULT: Self = Self(10);
    /// `FCGI_UNKNOWN_TYPE`, §4.2.
    pub const UNKNOWN_TYPE: Self = Self(11);

    /// The specification's name, or `None` for a type that it does not define.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::BEGIN_REQUEST => "FCGI_BEGIN_REQUEST",
            Self::ABORT_REQUEST => "FCGI_ABORT_REQUEST",
            Self::END_REQUEST => "FCGI_END_REQUEST",
            Self::PARAMS => "FCGI_PARAMS",
            Self::STDIN => "FCGI_STDIN",
            Self::STDOUT => "FCGI_STDOUT",
            Self::STDERR => "FCGI_STDERR",
            Self::DATA => "FCGI_DATA",
            Self::GET_VALUES => "FCGI_GET_VALUES",
            Self::GET_VALUES_RESULT => "FCGI_GET_VALUES_RESULT",
            Self::UNKNOWN_TYPE => "FCGI_UNKNOWN_TYPE",
            _ => return None,
        })
    }

    /// Whether records of this type form a stream that an empty record ends (appendix A).
    #[must_use]
    pub const fn is_stream(self) -> bool {
        matches!(
            self,
            Self::PARAMS | Self::STDIN | Self::STDOUT | Self::STDERR | Self::DATA
        )
    }

    /// Whether records of this type belong to no request and carry the null request id (appendix A).
    #[must_use]
    pub const fn is_management(self) -> bool {
        matches!(
            self,
            Self::GET_VALUES | Self::GET_VALUES_RESULT | Self::UNKNOWN_TYPE
        )
    }
}

impl fmt::Display for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "record type {}", self.0),
        }
    }
}

impl fmt::Debug for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The `role` component of `FCGI_BEGIN_REQUEST`, §5.1 and §6.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Role(pub u16);

impl Role {
    /// `FCGI_RESPONDER`, §6.2: answers an HTTP request.
    pub const RESPONDER: Self = Self(1);
    /// `FCGI_AUTHORIZER`, §6.3: decides whether an HTTP request is allowed.
    pub const AUTHORIZER: Self = Self(2);
    /// `FCGI_FILTER`, §6.4: answers an HTTP request from a file that the Web server sends along.
    pub const FILTER: Self = Self(3);
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::RESPONDER => f.write_str("FCGI_RESPONDER"),
            Self::AUTHORIZER => f.write_str("FCGI_AUTHORIZER"),
            Self::FILTER => f.write_str("FCGI_FILTER"),
            Self(number) => write!(f, "role {number}"),
        }
    }
}

impl fmt::Debug for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A set of the specification's three roles.
///
/// ```
/// use fcgi_proto::{Role, Roles};
///
/// let roles = Roles::RESPONDER.with(Roles::FILTER);
/// assert!(roles.contains(Role::FILTER));
/// assert!(!roles.contains(Role::AUTHORIZER));
/// assert!(!roles.contains(Role(77)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Roles(u8);

impl Roles {
    /// Only [`Role::RESPONDER`].
    pub const RESPONDER: Self = Self(1 << 1);
    /// Only [`Role::AUTHORIZER`].
    pub const AUTHORIZER: Self = Self(1 << 2);
    /// Only [`Role::FILTER`].
    pub const FILTER: Self = Self(1 << 3);
    /// All three.
    pub const ALL: Self = Self(0b1110);

    /// The roles of both sets.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the role is in the set; a role that the specification does not define never is.
    #[must_use]
    pub const fn contains(self, role: Role) -> bool {
        matches!(role.0, 1..=3) && self.0 & (1 << role.0) != 0
    }
}

/// The `protocolStatus` component of `FCGI_END_REQUEST`, §5.5.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProtocolStatus(pub u8);

impl ProtocolStatus {
    /// `FCGI_REQUEST_COMPLETE`: the normal end of a request.
    pub const REQUEST_COMPLETE: Self = Self(0);
    /// `FCGI_CANT_MPX_CONN`: refused, as the application takes one request at a time on a connection.
    pub const CANT_MPX_CONN: Self = Self(1);
    /// `FCGI_OVERLOADED`: refused, as the application has run out of some resource.
    pub const OVERLOADED: Self = Self(2);
    /// `FCGI_UNKNOWN_ROLE`: refused, as the application does not have the role.
    pub const UNKNOWN_ROLE: Self = Self(3);
}

impl fmt::Display for ProtocolStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::REQUEST_COMPLETE => f.write_str("FCGI_REQUEST_COMPLETE"),
            Self::CANT_MPX_CONN => f.write_str("FCGI_CANT_MPX_CONN"),
            Self::OVERLOADED => f.write_str("FCGI_OVERLOADED"),
            Self::UNKNOWN_ROLE => f.write_str("FCGI_UNKNOWN_ROLE"),
            Self(number) => write!(f, "protocol status {number}"),
        }
    }
}

impl fmt::Debug for ProtocolStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The `flags` component of `FCGI_BEGIN_REQUEST`, §5.1. Bits that the specification does not define are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags(pub u8);

impl Flags {
    /// `FCGI_KEEP_CONN`: the application must leave the connection open after this request.
    pub const KEEP_CONN: Self = Self(1);

    /// Whether `FCGI_KEEP_CONN` is set.
    #[must_use]
    pub const fn keep_conn(self) -> bool {
        self.0 & Self::KEEP_CONN.0 != 0
    }
}

/// The id of a request: 1 to 65,535 (§3.3). The null request id of management records is `Option::<RequestId>::None`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(NonZeroU16);

impl RequestId {
    /// The smallest id.
    pub const MIN: Self = Self(NonZeroU16::MIN);
    /// The largest id.
    pub const MAX: Self = Self(NonZeroU16::MAX);

    /// The id of that number, or `None` for zero, the null request id.
    #[must_use]
    pub const fn new(number: u16) -> Option<Self> {
        match NonZeroU16::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u16 {
        self.0.get()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;

    #[test]
    fn appendix_a_gives_each_type_its_properties() {
        // (type, management, stream)
        let table = [
            (RecordType::GET_VALUES, true, false),
            (RecordType::GET_VALUES_RESULT, true, false),
            (RecordType::UNKNOWN_TYPE, true, false),
            (RecordType::BEGIN_REQUEST, false, false),
            (RecordType::ABORT_REQUEST, false, false),
            (RecordType::END_REQUEST, false, false),
            (RecordType::PARAMS, false, true),
            (RecordType::STDIN, false, true),
            (RecordType::DATA, false, true),
            (RecordType::STDOUT, false, true),
            (RecordType::STDERR, false, true),
        ];
        for (record_type, management, stream) in table {
            assert_eq!(record_type.is_management(), management, "{record_type}");
            assert_eq!(record_type.is_stream(), stream, "{record_type}");
            assert!(
                record_type.to_string().starts_with("FCGI_"),
                "{record_type}"
            );
        }
        assert_eq!(RecordType(200).to_string(), "record type 200");
        assert_eq!(RecordType(0).name(), None);
    }

    #[test]
    fn unknown_numbers_are_shown_as_numbers() {
        assert_eq!(Role(9).to_string(), "role 9");
        assert_eq!(ProtocolStatus(9).to_string(), "protocol status 9");
        assert_eq!(Role::FILTER.to_string(), "FCGI_FILTER");
        assert_eq!(ProtocolStatus::OVERLOADED.to_string(), "FCGI_OVERLOADED");
    }

    #[test]
    fn a_set_of_roles_holds_only_known_roles() {
        for number in 0..=u16::MAX {
            assert_eq!(Roles::ALL.contains(Role(number)), (1..=3).contains(&number));
        }
        assert!(!Roles::RESPONDER.contains(Role::FILTER));
    }

    #[test]
    fn the_null_request_id_is_not_an_id() {
        assert_eq!(RequestId::new(0), None);
        assert_eq!(RequestId::new(65_535), Some(RequestId::MAX));
    }
}
