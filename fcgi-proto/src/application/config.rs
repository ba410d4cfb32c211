//! What an application says of itself.

use crate::Roles;
use crate::management::Values;

/// What the application can do, as it tells Web servers that ask with `FCGI_GET_VALUES` (§4.1).
///
/// ```
/// use fcgi_proto::{Roles, application::Config};
///
/// let mut config = Config::default();
/// config.roles = Roles::RESPONDER.with(Roles::AUTHORIZER);
/// config.max_conns = 8;
/// config.max_reqs = 8;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// The roles that it has; a request in another is answered with `FCGI_UNKNOWN_ROLE`. Default: Responder only.
    pub roles: Roles,
    /// `FCGI_MAX_CONNS`: connections that it serves at once, over all. Default 1. It is only announced: connections
    /// are the driver's.
    pub max_conns: u32,
    /// `FCGI_MAX_REQS`: requests that it serves at once, over all connections. Default 1. It is only announced: the
    /// limit of one connection is [`Limits::requests`](crate::Limits::requests).
    pub max_reqs: u32,
    /// `FCGI_MPXS_CONNS`: whether several requests may be in flight on one connection. If not, a second one is
    /// answered with `FCGI_CANT_MPX_CONN`. Default: no.
    pub mpxs_conns: bool,
}

impl Config {
    pub(super) const fn values(&self) -> Values {
        Values {
            max_conns: Some(self.max_conns),
            max_reqs: Some(self.max_reqs),
            mpxs_conns: Some(self.mpxs_conns),
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            roles: Roles::RESPONDER,
            max_conns: 1,
            max_reqs: 1,
            mpxs_conns: false,
        }
    }
}
