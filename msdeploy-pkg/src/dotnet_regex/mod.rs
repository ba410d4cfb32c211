//! Regular expressions as .NET understands them.
//!
//! *.NET regular expressions: Regular Expression Language*
//! <https://learn.microsoft.com/dotnet/standard/base-types/regular-expression-language-quick-reference>. Web Deploy
//! matches scopes and matches with `IgnoreCase | CultureInvariant`, unanchored.
//!
//! A pattern is parsed by .NET's grammar (`parse`) into sets of UTF-16 units and operators (`node`, `char_set`). An engine
//! with backtracking (`program`, `matcher`) runs it as .NET does: lazy and counted loops, look-ahead and look-behind, atomic,
//! conditional and balancing groups, references back, `\G`. Where the pattern has nothing of that kind it is also given to
//! the `regex` crate (`linear`), which finds the same in one pass; a property holds that the two agree.
//!
//! Letter case is that of the invariant culture, in which a character is compared by its lower-case form: `k` matches the
//! Kelvin sign, `i` neither of the Turkish letters, and `ſ` is no `s`. `\d` is Nd, `\w` is L, Mn, Nd and Pc.
//!
//! Left out: what only an option of .NET's constructor can say (`RightToLeft`, `ECMAScript`, cultures), and `[:name:]` in a
//! class, which .NET skips. The categories are those of a newer Unicode than that of the .NET Framework. A search that
//! takes millions of steps is an error.

mod char_set;
mod linear;
mod matcher;
mod node;
mod parse;
mod pattern;
mod program;
mod replacement;

pub use pattern::{Pattern, PatternFault};
