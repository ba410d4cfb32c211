//! Web Platform Installer (WebPI) Atom feeds: model, read, write, check, resolve.
