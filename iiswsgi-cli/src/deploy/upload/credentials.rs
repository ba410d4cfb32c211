//! Who uploads, and what must never be shown.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A user's name and password. An index's token is a password of the user `__token__`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub(crate) username: String,
    pub(crate) password: String,
}

impl Credentials {
    /// The user name that a token goes with.
    pub(crate) const TOKEN_USER: &'static str = "__token__";

    /// The value of the Authorization field (RFC 7617).
    pub(crate) fn authorization(&self) -> String {
        format!("Basic {}", self.encoded())
    }

    fn encoded(&self) -> String {
        STANDARD.encode(format!("{}:{}", self.username, self.password))
    }

    /// A text that a server has sent, without what is secret of it.
    pub(crate) fn mask(&self, text: &str) -> String {
        let masked = text.replace(&self.encoded(), "***");
        if self.password.is_empty() {
            return masked;
        }
        masked.replace(&self.password, "***")
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("username", &self.username)
            .field("password", &"***")
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        let credentials = Credentials {
            username: "jim".to_owned(),
            password: "secret".to_owned(),
        };
        assert_eq!(credentials.authorization(), "Basic amltOnNlY3JldA==");
        assert!(!format!("{credentials:?}").contains("secret"));
        assert_eq!(
            credentials.mask("no user jim:secret, amltOnNlY3JldA=="),
            "no user jim:***, ***"
        );
    }
}
