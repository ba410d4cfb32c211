//! Application pools: `system.applicationHost/applicationPools`, `applicationPoolDefaults` merged.

use super::configuration::Configuration;
use super::element::EffectiveElement;

/// An application pool: the worker process's account and life.
///
/// Defaults are the schema's, then `applicationPoolDefaults`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApplicationPool {
    /// `name`.
    pub name: String,
    /// `processModel/identityType`.
    pub identity_type: IdentityType,
    /// `processModel/userName`; only `SpecificUser` uses it.
    pub user_name: String,
    /// `processModel/loadUserProfile`: without it `%TEMP%` and `%USERPROFILE%` are not the account's own.
    pub load_user_profile: bool,
    /// `processModel/idleTimeout` as written, `hh:mm:ss`; zero is never.
    pub idle_timeout: String,
    /// `enable32BitAppOnWin64`.
    pub enable_32_bit: bool,
    /// `autoStart`.
    pub auto_start: bool,
    /// All of it.
    pub element: EffectiveElement,
}

/// `identityType`: whom the worker process runs as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IdentityType {
    /// `LocalSystem`.
    LocalSystem,
    /// `LocalService`.
    LocalService,
    /// `NetworkService`, the default of IIS 7.0.
    NetworkService,
    /// `SpecificUser`: the account of `userName`.
    SpecificUser,
    /// `ApplicationPoolIdentity`: the account `IIS AppPool\name`; the default since IIS 7.5.
    ApplicationPoolIdentity,
}

impl ApplicationPool {
    fn read(element: &EffectiveElement) -> Self {
        let model = element.element("processModel");
        let text = |name| {
            model
                .and_then(|model| model.value(name))
                .unwrap_or_default()
        };
        let is_true =
            |value: Option<&str>| value.is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let identity = text("identityType").to_ascii_lowercase();
        Self {
            name: element.value("name").unwrap_or_default().to_owned(),
            // Names or the schema's numbers.
            identity_type: match identity.as_str() {
                "localsystem" | "0" => IdentityType::LocalSystem,
                "localservice" | "1" => IdentityType::LocalService,
                "networkservice" | "2" => IdentityType::NetworkService,
                "specificuser" | "3" => IdentityType::SpecificUser,
                _ => IdentityType::ApplicationPoolIdentity,
            },
            user_name: text("userName").to_owned(),
            load_user_profile: is_true(Some(text("loadUserProfile"))),
            idle_timeout: text("idleTimeout").to_owned(),
            enable_32_bit: is_true(element.value("enable32BitAppOnWin64")),
            auto_start: is_true(element.value("autoStart")),
            element: element.clone(),
        }
    }

    /// The account that the worker process runs as, as Windows names it.
    #[must_use]
    pub fn account(&self) -> String {
        match self.identity_type {
            IdentityType::LocalSystem => r"NT AUTHORITY\SYSTEM".to_owned(),
            IdentityType::LocalService => r"NT AUTHORITY\LOCAL SERVICE".to_owned(),
            IdentityType::NetworkService => r"NT AUTHORITY\NETWORK SERVICE".to_owned(),
            IdentityType::SpecificUser => self.user_name.clone(),
            IdentityType::ApplicationPoolIdentity => format!(r"IIS AppPool\{}", self.name),
        }
    }
}

impl Configuration<'_> {
    /// The application pools, in order.
    #[must_use]
    pub fn application_pools(&self) -> Vec<ApplicationPool> {
        let section = self.section("", "system.applicationHost/applicationPools");
        let entries = section.map(|section| section.element.entries);
        entries
            .unwrap_or_default()
            .iter()
            .map(ApplicationPool::read)
            .collect()
    }

    /// The pool that an application of a site runs in; `path` such as `/` or `/app`.
    #[must_use]
    pub fn application_pool(&self, site: &str, path: &str) -> Option<ApplicationPool> {
        let sites = self.section("", "system.applicationHost/sites")?;
        let application = sites
            .element
            .entry("name", site)?
            .entry("path", path)?
            .value("applicationPool")?;
        self.application_pools()
            .into_iter()
            .find(|pool| pool.name.eq_ignore_ascii_case(application))
    }
}
