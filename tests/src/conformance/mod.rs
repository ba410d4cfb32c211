//! The FastCGI conformance suite: vectors, their runner against [`fcgi_proto`], and checks of a live application.
//!
//! It models the *FastCGI Specification* 1.0 of 29 April 1996
//! (<https://fastcgi-archives.github.io/FastCGI_Specification.html>) as a checklist of 40 items ([`ITEMS`]) and a list of
//! known bugs of other implementations.
//!
//! - [`load`] reads a file of `tests/vectors/`, whose form `docs/conformance.md` describes; [`check`] runs one of its
//!   cases against the machines of `fcgi-proto`.
//! - [`live`] asks a running application the questions that can be asked from outside.

mod fields;
mod item;
pub mod live;
mod machine;
mod record;
mod step;
mod told;
mod vector;

pub use item::{ITEMS, Item};
pub use machine::check;
pub use record::Octets;
pub use step::{Action, Call, Stage};
pub use told::{Told, fault_name};
pub use vector::{Case, LoadError, Outside, Side, VectorFile, load};
