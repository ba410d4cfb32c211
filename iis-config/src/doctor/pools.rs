//! The application pools and who their worker processes run as: `system.applicationHost/applicationPools`.

use spanned_xml::Element;

use crate::access::Identity;
use crate::section::sections;

const POOLS: &str = "system.applicationHost/applicationPools";
const APPLICATION_POOL_IDENTITY: &str = "ApplicationPoolIdentity";

/// A pool, or where the file names none what any pool would be.
#[derive(Clone, Debug)]
pub(super) struct Pool {
    /// None where the file names no pool.
    pub(super) name: Option<String>,
    /// `processModel/identityType`.
    pub(super) identity_type: String,
    /// `processModel/userName`, for `SpecificUser`.
    pub(super) user_name: String,
}

impl Pool {
    /// For a message.
    pub(super) fn describe(&self) -> String {
        let identity = &self.identity_type;
        match &self.name {
            Some(name) => format!("the identity of the application pool `{name}` ({identity})"),
            None => format!("the identity of an application pool ({identity})"),
        }
    }

    /// Whose rights it has; none where only the machine, or a domain, knows that.
    pub(super) fn identity(&self) -> Option<Identity> {
        let is = |name: &str| self.identity_type.eq_ignore_ascii_case(name);
        let name = self.name.as_deref()?;
        if is(APPLICATION_POOL_IDENTITY) {
            Some(Identity::of_application_pool(name))
        } else if is("NetworkService") {
            Some(Identity::network_service(name))
        } else if is("LocalService") {
            Some(Identity::local_service(name))
        } else {
            None
        }
    }

    /// The account's name for icacls.
    pub(super) fn account(&self) -> String {
        match &self.name {
            Some(name) => format!(r"IIS AppPool\{name}"),
            None => "IIS_IUSRS".to_owned(),
        }
    }
}

/// The pools of an applicationHost.config; there is always one.
pub(super) fn pools(root: &Element) -> Vec<Pool> {
    let model = |element: &Element, name: &str| {
        sections(element, "processModel")
            .iter()
            .find_map(|model| model.value(name).map(str::to_owned))
    };
    let defaults = |name: &str| {
        sections(root, &format!("{POOLS}/applicationPoolDefaults"))
            .into_iter()
            .find_map(|defaults| model(defaults, name))
    };
    let identity_type =
        || defaults("identityType").unwrap_or_else(|| APPLICATION_POOL_IDENTITY.to_owned());
    let user_name = || defaults("userName").unwrap_or_default();
    let pools: Vec<Pool> = sections(root, &format!("{POOLS}/add"))
        .into_iter()
        .map(|pool| Pool {
            name: Some(pool.value("name").unwrap_or_default().to_owned()),
            identity_type: model(pool, "identityType").unwrap_or_else(identity_type),
            user_name: model(pool, "userName").unwrap_or_else(user_name),
        })
        .collect();
    if !pools.is_empty() {
        return pools;
    }
    vec![Pool {
        name: None,
        identity_type: identity_type(),
        user_name: user_name(),
    }]
}
