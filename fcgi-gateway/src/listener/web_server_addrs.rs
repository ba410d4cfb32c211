//! `FCGI_WEB_SERVER_ADDRS`, the Web servers that may connect (FastCGI Specification 1.0, section 3.2).

use std::net::IpAddr;

use crate::Error;

/// The addresses in `FCGI_WEB_SERVER_ADDRS`; without the variable, every address.
///
/// §3.2: "If `FCGI_WEB_SERVER_ADDRS` was bound, the application checks the peer IP address of each new connection for
/// membership in the list. If the check fails (including the possibility that the connection didn't use TCP/IP
/// transport), the application responds by closing the connection."
///
/// ```
/// use fcgi_gateway::listener::WebServerAddrs;
///
/// let addrs = WebServerAddrs::parse("199.170.183.28,199.170.183.71")?;
/// assert!(addrs.allow(Some("199.170.183.71".parse()?)));
/// assert!(!addrs.allow(Some("127.0.0.1".parse()?)));
/// assert!(!addrs.allow(None));
/// assert!(WebServerAddrs::any().allow(None));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebServerAddrs(Option<Vec<IpAddr>>);

impl WebServerAddrs {
    /// Every peer is allowed.
    #[must_use]
    pub const fn any() -> Self {
        Self(None)
    }

    /// The list that the environment of this process holds.
    ///
    /// # Errors
    /// [`Error::WebServerAddrs`].
    pub fn from_environment() -> Result<Self, Error> {
        match std::env::var("FCGI_WEB_SERVER_ADDRS") {
            Ok(list) => Self::parse(&list),
            Err(_) => Ok(Self::any()),
        }
    }

    /// A comma-separated list of IP addresses.
    ///
    /// # Errors
    /// [`Error::WebServerAddrs`] for anything that is no IP address, since guessing would open the door or bar it.
    pub fn parse(list: &str) -> Result<Self, Error> {
        let address = |text: &str| {
            let text = text.trim();
            text.parse()
                .map(|address: IpAddr| address.to_canonical())
                .map_err(|_| Error::WebServerAddrs {
                    found: text.to_owned(),
                })
        };
        list.split(',')
            .filter(|text| !text.trim().is_empty())
            .map(address)
            .collect::<Result<_, _>>()
            .map(|list| Self(Some(list)))
    }

    /// Whether a connection from `peer` may stay; `None` is a peer without an IP address.
    #[must_use]
    pub fn allow(&self, peer: Option<IpAddr>) -> bool {
        match (&self.0, peer) {
            (None, _) => true,
            (Some(list), Some(peer)) => list.contains(&peer.to_canonical()),
            (Some(_), None) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_lets_in_what_it_names() {
        // (list, peer, allowed)
        let table = [
            ("127.0.0.1", "127.0.0.1", true),
            (" 10.0.0.1 , ::1,", "::1", true),
            ("10.0.0.1", "::ffff:10.0.0.1", true),
            ("::ffff:10.0.0.1", "10.0.0.1", true),
            ("10.0.0.1", "10.0.0.2", false),
            ("", "10.0.0.2", false),
        ];
        for (list, peer, allowed) in table {
            assert_eq!(
                WebServerAddrs::parse(list)
                    .unwrap()
                    .allow(Some(peer.parse().unwrap())),
                allowed,
                "{list} {peer}"
            );
        }
        let error = WebServerAddrs::parse("10.0.0.1,localhost").unwrap_err();
        assert!(error.to_string().contains("`localhost`"), "{error}");
    }
}
