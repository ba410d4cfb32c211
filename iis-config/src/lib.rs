//! IIS configuration files and appcmd: read, and edited with every other byte kept.
