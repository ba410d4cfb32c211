//! Whether the identity of an application pool may use a file: security descriptors in their text form.
//!
//! *Security Descriptor String Format*, *ACE Strings* and *SID Strings* of Microsoft's documentation of Windows, *Application
//! Pool Identities* of that of IIS. The groups are those of a worker process's token.
//!
//! Left out: conditional entries, integrity labels, and groups of a domain.
//!
//! ```
//! use iis_config::access::{Identity, may_execute};
//!
//! let pool = Identity::of_application_pool("DefaultAppPool");
//! // The profile of a user: the system, administrators and the user.
//! let profile = "D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;S-1-5-21-1-2-3-1001)";
//! assert_eq!(may_execute(profile, &pool), Some(false));
//! assert_eq!(may_execute(&format!("{profile}(A;OICI;0x1200a9;;;IS)"), &pool), Some(true));
//! ```

use sha1::{Digest as _, Sha1};

/// `FILE_GENERIC_READ | FILE_GENERIC_EXECUTE`, "Read & execute".
const READ_AND_EXECUTE: u32 = 0x0012_00a9;

/// The groups of every worker process: Everyone, Authenticated Users, Users, SERVICE, LOCAL, IIS_IUSRS.
const GROUPS: [&str; 6] = [
    "S-1-1-0",
    "S-1-5-11",
    "S-1-5-32-545",
    "S-1-5-6",
    "S-1-2-0",
    "S-1-5-32-568",
];

/// The abbreviations of SIDs that an entry for a worker process may be written with. All others stand for somebody else.
const ALIASES: [(&str, &str); 7] = [
    ("AU", "S-1-5-11"),
    ("BU", "S-1-5-32-545"),
    ("IS", "S-1-5-32-568"),
    ("LS", "S-1-5-19"),
    ("NS", "S-1-5-20"),
    ("SU", "S-1-5-6"),
    ("WD", "S-1-1-0"),
];

/// The rights of files by their abbreviations.
const RIGHTS: [(&str, u32); 21] = [
    ("GA", 0x001f_01ff),
    ("GR", 0x0012_0089),
    ("GW", 0x0012_0116),
    ("GX", 0x0012_00a0),
    ("FA", 0x001f_01ff),
    ("FR", 0x0012_0089),
    ("FW", 0x0012_0116),
    ("FX", 0x0012_00a0),
    ("RC", 0x0002_0000),
    ("SD", 0x0001_0000),
    ("WD", 0x0004_0000),
    ("WO", 0x0008_0000),
    ("CC", 0x0000_0001),
    ("DC", 0x0000_0002),
    ("LC", 0x0000_0004),
    ("SW", 0x0000_0008),
    ("RP", 0x0000_0010),
    ("WP", 0x0000_0020),
    ("DT", 0x0000_0040),
    ("LO", 0x0000_0080),
    ("CR", 0x0000_0100),
];

/// The generic rights, in a mask that was not mapped to those of files yet.
const GENERIC: [(u32, u32); 4] = [
    (0x8000_0000, 0x0012_0089),
    (0x4000_0000, 0x0012_0116),
    (0x2000_0000, 0x0012_00a0),
    (0x1000_0000, 0x001f_01ff),
];

/// Who a worker process runs as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The account's security identifier.
    sid: String,
    /// The pool's, which is in the token of its worker processes whatever they run as.
    pool: String,
}

impl Identity {
    /// `ApplicationPoolIdentity`: the virtual account `IIS AppPool\NAME`.
    ///
    /// Its identifier follows from the name: `S-1-5-82-` and the SHA-1 of the lower-case name in UTF-16, as five numbers.
    #[must_use]
    pub fn of_application_pool(name: &str) -> Self {
        let octets: Vec<u8> = name
            .to_lowercase()
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let numbers = Sha1::digest(&octets)
            .chunks_exact(4)
            .map(|part| u32::from_le_bytes([part[0], part[1], part[2], part[3]]).to_string())
            .collect::<Vec<_>>();
        let sid = format!("S-1-5-82-{}", numbers.join("-"));
        Self {
            pool: sid.clone(),
            sid,
        }
    }

    /// `NetworkService`, in the pool of this name.
    #[must_use]
    pub fn network_service(pool: &str) -> Self {
        Self {
            sid: "S-1-5-20".to_owned(),
            ..Self::of_application_pool(pool)
        }
    }

    /// `LocalService`, in the pool of this name.
    #[must_use]
    pub fn local_service(pool: &str) -> Self {
        Self {
            sid: "S-1-5-19".to_owned(),
            ..Self::of_application_pool(pool)
        }
    }

    /// Its security identifier, `S-1-5-…`.
    #[must_use]
    pub fn sid(&self) -> &str {
        &self.sid
    }

    /// Whether an entry for `sid`, or its abbreviation, is about this identity.
    fn is_meant_by(&self, sid: &str) -> bool {
        let sid = ALIASES
            .iter()
            .find(|(alias, _)| *alias == sid)
            .map_or(sid, |(_, sid)| sid);
        sid.eq_ignore_ascii_case(&self.sid)
            || sid.eq_ignore_ascii_case(&self.pool)
            || GROUPS.iter().any(|group| group.eq_ignore_ascii_case(sid))
    }
}

/// Whether the identity may read and execute what has this security descriptor; none where the text is none.
///
/// As Windows does, it goes through the entries in their order until each right was allowed or one was denied. An entry that
/// is there for what the folder will hold only says nothing of the folder itself.
#[must_use]
pub fn may_execute(descriptor: &str, identity: &Identity) -> Option<bool> {
    let (_, list) = descriptor.split_once("D:")?;
    let (flags, entries) = list.split_at(list.find('(').unwrap_or(list.len()));
    if flags.contains("NO_ACCESS_CONTROL") {
        return Some(true);
    }
    let mut missing = READ_AND_EXECUTE;
    for entry in entries.split('(').skip(1) {
        let (entry, behind) = entry.split_once(')')?;
        let mut fields = entry.split(';');
        let (kind, flags, rights) = (fields.next()?, fields.next()?, fields.next()?);
        let sid = fields.nth(2)?;
        if !inherits_only(flags) && identity.is_meant_by(sid) {
            let rights = rights_of(rights)?;
            match kind {
                "A" => missing &= !rights,
                "D" if missing & rights != 0 => return Some(false),
                _ => {}
            }
        }
        // The entries of the next list, the one for auditing, allow nothing.
        if behind.starts_with("S:") {
            break;
        }
    }
    Some(missing == 0)
}

fn inherits_only(flags: &str) -> bool {
    pairs(flags).any(|flag| flag == "IO")
}

/// `0x1200a9`, or abbreviations one behind the other.
fn rights_of(text: &str) -> Option<u32> {
    let Some(hexadecimal) = text.strip_prefix("0x") else {
        return pairs(text).try_fold(0, |rights, pair| {
            let (_, right) = RIGHTS.iter().find(|(name, _)| *name == pair)?;
            Some(rights | right)
        });
    };
    let mask = u32::from_str_radix(hexadecimal, 16).ok()?;
    let mapped = GENERIC.iter().filter(|(bit, _)| mask & bit != 0);
    Some(mapped.fold(mask, |rights, (_, right)| rights | right))
}

/// Two letters each; a letter left over is a pair of nothing, which no table has.
fn pairs(text: &str) -> impl Iterator<Item = &str> {
    (0..text.len())
        .step_by(2)
        .map(|start| text.get(start..start + 2).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Identifiers that Microsoft and administrators have published.
    #[test]
    fn the_identifier_of_a_pool_follows_from_its_name() {
        for name in ["DefaultAppPool", "defaultapppool"] {
            assert_eq!(
                Identity::of_application_pool(name).sid(),
                "S-1-5-82-3006700770-424185619-1745488364-794895919-4004696415"
            );
        }
        assert_ne!(
            Identity::of_application_pool("Jürgen").sid(),
            Identity::of_application_pool("Jurgen").sid()
        );
    }

    #[test]
    fn entries_allow_and_deny_in_their_order() {
        let pool = Identity::of_application_pool("DefaultAppPool");
        let own = pool.sid().to_owned();
        for (descriptor, expected) in [
            ("O:BAG:SYD:", Some(false)),
            ("O:BAG:SY", None),
            ("", None),
            ("D:NO_ACCESS_CONTROL", Some(true)),
            ("O:BAD:PAI(A;OICI;FA;;;BA)", Some(false)),
            ("D:(A;OICI;0x1200a9;;;BU)", Some(true)),
            ("D:(A;;0x1200A9;;;WD)", Some(true)),
            ("D:(A;;FR;;;WD)(A;;FX;;;IS)", Some(true)),
            ("D:(A;;FR;;;WD)", Some(false)),
            ("D:(A;;0xa0000000;;;WD)", Some(true)),
            ("D:(A;;CCSWRPLORC;;;WD)", Some(false)),
            ("D:(A;;CCSWWPLORCGX;;;WD)", Some(true)),
            ("D:(A;OICIIO;FA;;;WD)", Some(false)),
            ("D:(D;;FX;;;IS)(A;;FA;;;WD)", Some(false)),
            ("D:(A;;FA;;;WD)(D;;FX;;;IS)", Some(true)),
            ("D:(D;;DCLC;;;WD)(A;;FA;;;WD)", Some(true)),
            ("D:(A;OICI;FA;;;OWN)", Some(true)),
            ("D:(A;OICI;FA;;;S-1-5-82-1-2-3-4-5)", Some(false)),
            ("D:(A;;FA;;;SY)S:AI(A;;FA;;;WD)", Some(false)),
            ("D:(A;;ZZ;;;WD)", None),
            ("D:(A;;F;;;WD)", None),
            ("D:(A;;FA;;;WD", None),
            ("D:(A)", None),
            ("D:(A;;é;;;WD)", None),
        ] {
            let descriptor = descriptor.replace("OWN", &own);
            assert_eq!(may_execute(&descriptor, &pool), expected, "{descriptor}");
        }
        for (identity, alias) in [
            (Identity::network_service("DefaultAppPool"), "NS"),
            (Identity::local_service("DefaultAppPool"), "LS"),
        ] {
            let descriptor = format!("D:(A;;FA;;;{alias})");
            assert_eq!(may_execute(&descriptor, &identity), Some(true));
            assert_eq!(may_execute(&descriptor, &pool), Some(false));
            let descriptor = format!("D:(A;;FA;;;{own})");
            assert_eq!(
                may_execute(&descriptor, &identity),
                Some(true),
                "the pool's"
            );
        }
    }
}
