//! Regular expressions as .NET understands them, on an engine without backtracking.
//!
//! *.NET regular expressions: Regular Expression Language*
//! <https://learn.microsoft.com/dotnet/standard/base-types/regular-expression-language-quick-reference>. Web Deploy
//! matches scopes and matches with `IgnoreCase | CultureInvariant`, unanchored.
//!
//! A pattern is rewritten where the two dialects spell the same thing differently (`\<`, a literal `{`, `[` inside a
//! class), and refused where they would mean different things or the engine cannot do it: look-around, references
//! back, atomic, conditional and balancing groups, class subtraction, `\G`, Unicode blocks (`\p{IsGreek}`), the `x`
//! option. A pattern that was accepted finds what .NET finds, but for a few letters whose case .NET does not fold, and
//! text outside the Basic Multilingual Plane, which .NET matches by UTF-16 unit.

mod pattern;
mod translate;

pub use pattern::{Pattern, PatternFault};
