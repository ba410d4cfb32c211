//! Sets of UTF-16 units, with Unicode's categories and .NET's idea of letter case.

use std::sync::OnceLock;

/// A set of UTF-16 units: sorted ranges that neither touch nor overlap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CharSet {
    ranges: Vec<(u16, u16)>,
}

impl CharSet {
    pub(crate) fn new(ranges: impl IntoIterator<Item = (u16, u16)>) -> Self {
        let mut ranges: Vec<(u16, u16)> = ranges.into_iter().collect();
        ranges.sort_unstable();
        let mut joined: Vec<(u16, u16)> = Vec::with_capacity(ranges.len());
        for (first, last) in ranges {
            match joined.last_mut() {
                Some(before) if first <= before.1.saturating_add(1) => {
                    before.1 = before.1.max(last);
                }
                _ => joined.push((first, last)),
            }
        }
        Self { ranges: joined }
    }

    pub(crate) fn one(unit: u16) -> Self {
        Self::new([(unit, unit)])
    }

    pub(crate) fn ranges(&self) -> &[(u16, u16)] {
        &self.ranges
    }

    pub(crate) fn contains(&self, unit: u16) -> bool {
        self.ranges
            .binary_search_by(|&(first, last)| {
                if unit < first {
                    core::cmp::Ordering::Greater
                } else if unit > last {
                    core::cmp::Ordering::Less
                } else {
                    core::cmp::Ordering::Equal
                }
            })
            .is_ok()
    }

    pub(crate) fn union(&self, other: &Self) -> Self {
        Self::new(self.ranges.iter().chain(&other.ranges).copied())
    }

    pub(crate) fn complement(&self) -> Self {
        let mut ranges = Vec::with_capacity(self.ranges.len() + 1);
        let mut next = Some(0);
        for &(first, last) in &self.ranges {
            if let Some(start) = next.filter(|&start| start < first) {
                ranges.push((start, first - 1));
            }
            next = last.checked_add(1);
        }
        if let Some(start) = next {
            ranges.push((start, u16::MAX));
        }
        Self { ranges }
    }

    pub(crate) fn minus(&self, other: &Self) -> Self {
        self.complement().union(other).complement()
    }

    /// With the lower-case forms of its units, as .NET adds them to a class that ignores case.
    pub(crate) fn with_lower_case(&self) -> Self {
        let lower = letter_case()
            .lower
            .iter()
            .filter(|(upper, _)| self.contains(*upper))
            .map(|&(_, lower)| (lower, lower));
        Self::new(self.ranges.iter().copied().chain(lower))
    }

    /// The units whose lower-case form is in the set: .NET compares only that form where it ignores case.
    pub(crate) fn ignoring_case(&self) -> Self {
        let case = letter_case();
        let matching = case
            .lower
            .iter()
            .filter(|(_, lower)| self.contains(*lower))
            .map(|&(upper, _)| (upper, upper));
        Self::new(self.minus(&case.uppers).ranges.into_iter().chain(matching))
    }

    /// The units that are one letter where case is ignored.
    pub(crate) fn letter(unit: u16) -> Self {
        let lower = lower(unit);
        let uppers = &letter_case().upper;
        let start = uppers.partition_point(|&(known, _)| known < lower);
        let same = uppers[start..]
            .iter()
            .take_while(|&&(known, _)| known == lower)
            .map(|&(_, upper)| (upper, upper));
        Self::new(same.chain([(lower, lower)]))
    }
}

/// The lower-case form of a unit in the invariant culture.
pub(crate) fn lower(unit: u16) -> u16 {
    if unit < 0x80 {
        return match unit {
            0x41..=0x5A => unit + 0x20,
            _ => unit,
        };
    }
    let pairs = &letter_case().lower;
    pairs
        .binary_search_by_key(&unit, |&(upper, _)| upper)
        .map_or(unit, |at| pairs[at].1)
}

/// The pairs of letters of the invariant culture. A character whose lower-case form is more than one character is its own,
/// as there: U+0130, the Turkish İ.
struct LetterCase {
    /// Every unit that has a lower-case form of its own, with that form.
    lower: Vec<(u16, u16)>,
    /// The same, sorted by the lower-case form, which comes first.
    upper: Vec<(u16, u16)>,
    /// The units that have one.
    uppers: CharSet,
}

fn letter_case() -> &'static LetterCase {
    static CASE: OnceLock<LetterCase> = OnceLock::new();
    CASE.get_or_init(|| {
        let lower: Vec<(u16, u16)> = (0..=u16::MAX)
            .filter_map(|unit| {
                let mut forms = char::from_u32(unit.into())?.to_lowercase();
                let lower = u16::try_from(u32::from(forms.next()?)).ok()?;
                (forms.next().is_none() && lower != unit).then_some((unit, lower))
            })
            .collect();
        let mut upper: Vec<(u16, u16)> =
            lower.iter().map(|&(upper, lower)| (lower, upper)).collect();
        upper.sort_unstable();
        LetterCase {
            uppers: CharSet::new(lower.iter().map(|&(upper, _)| (upper, upper))),
            lower,
            upper,
        }
    })
}

/// A general category or a group of them by .NET's name, `Lu` or `L`; the case of letters counts.
pub(crate) fn category(name: &str) -> Option<CharSet> {
    if name == "Cs" {
        return Some(CharSet::new([(0xD800, 0xDFFF)]));
    }
    if !CATEGORIES.contains(&name) {
        return None;
    }
    let set = unicode(&format!("\\p{{{name}}}"))?;
    Some(if name == "C" {
        set.union(&CharSet::new([(0xD800, 0xDFFF)]))
    } else {
        set
    })
}

const CATEGORIES: [&str; 36] = [
    "L", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "Mn", "Mc", "Me", "N", "Nd", "Nl", "No", "P", "Pc",
    "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "S", "Sm", "Sc", "Sk", "So", "Z", "Zs", "Zl", "Zp", "C",
    "Cc", "Cf", "Co", "Cn",
];

/// The units of the Basic Multilingual Plane in a class that the engine knows.
fn unicode(class: &str) -> Option<CharSet> {
    use regex_syntax::hir::{Class, HirKind};
    let hir = regex_syntax::Parser::new().parse(class).ok()?;
    let ranges: Vec<(char, char)> = match hir.kind() {
        HirKind::Class(Class::Unicode(class)) => class
            .iter()
            .map(|range| (range.start(), range.end()))
            .collect(),
        // A class of one character.
        HirKind::Literal(literal) => core::str::from_utf8(&literal.0)
            .ok()?
            .chars()
            .map(|character| (character, character))
            .collect(),
        _ => return None,
    };
    Some(CharSet::new(ranges.into_iter().filter_map(
        |(first, last)| {
            let first = u16::try_from(u32::from(first)).ok()?;
            Some((first, u16::try_from(u32::from(last)).unwrap_or(u16::MAX)))
        },
    )))
}

/// `\d`: Nd.
pub(crate) fn digit() -> CharSet {
    category("Nd").unwrap_or_default()
}

/// `\w`: L, Mn, Nd, Pc.
pub(crate) fn word() -> CharSet {
    unicode(r"[\p{L}\p{Mn}\p{Nd}\p{Pc}]").unwrap_or_default()
}

/// What `\b` takes for part of a word: `\w` and the two joiners.
pub(crate) fn boundary_word() -> CharSet {
    word().union(&CharSet::new([(0x200C, 0x200D)]))
}

/// `\s`: `Char.IsWhiteSpace`.
pub(crate) fn space() -> CharSet {
    CharSet::new([
        (0x09, 0x0D),
        (0x20, 0x20),
        (0x85, 0x85),
        (0xA0, 0xA0),
        (0x1680, 0x1680),
        (0x2000, 0x200A),
        (0x2028, 0x2029),
        (0x202F, 0x202F),
        (0x205F, 0x205F),
        (0x3000, 0x3000),
    ])
}

/// A block by .NET's name for it, without `Is`.
pub(crate) fn block(name: &str) -> Option<CharSet> {
    BLOCKS
        .iter()
        .find(|(known, ..)| *known == name)
        .map(|&(_, first, last)| CharSet::new([(first, last)]))
}

/// *Character classes in .NET regular expressions*, "Supported named blocks"
/// <https://learn.microsoft.com/dotnet/standard/base-types/character-classes-in-regular-expressions#supported-named-blocks>.
const BLOCKS: [(&str, u16, u16); 108] = [
    ("BasicLatin", 0x0000, 0x007F),
    ("Latin-1Supplement", 0x0080, 0x00FF),
    ("LatinExtended-A", 0x0100, 0x017F),
    ("LatinExtended-B", 0x0180, 0x024F),
    ("IPAExtensions", 0x0250, 0x02AF),
    ("SpacingModifierLetters", 0x02B0, 0x02FF),
    ("CombiningDiacriticalMarks", 0x0300, 0x036F),
    ("Greek", 0x0370, 0x03FF),
    ("GreekandCoptic", 0x0370, 0x03FF),
    ("Cyrillic", 0x0400, 0x04FF),
    ("CyrillicSupplement", 0x0500, 0x052F),
    ("Armenian", 0x0530, 0x058F),
    ("Hebrew", 0x0590, 0x05FF),
    ("Arabic", 0x0600, 0x06FF),
    ("Syriac", 0x0700, 0x074F),
    ("Thaana", 0x0780, 0x07BF),
    ("Devanagari", 0x0900, 0x097F),
    ("Bengali", 0x0980, 0x09FF),
    ("Gurmukhi", 0x0A00, 0x0A7F),
    ("Gujarati", 0x0A80, 0x0AFF),
    ("Oriya", 0x0B00, 0x0B7F),
    ("Tamil", 0x0B80, 0x0BFF),
    ("Telugu", 0x0C00, 0x0C7F),
    ("Kannada", 0x0C80, 0x0CFF),
    ("Malayalam", 0x0D00, 0x0D7F),
    ("Sinhala", 0x0D80, 0x0DFF),
    ("Thai", 0x0E00, 0x0E7F),
    ("Lao", 0x0E80, 0x0EFF),
    ("Tibetan", 0x0F00, 0x0FFF),
    ("Myanmar", 0x1000, 0x109F),
    ("Georgian", 0x10A0, 0x10FF),
    ("HangulJamo", 0x1100, 0x11FF),
    ("Ethiopic", 0x1200, 0x137F),
    ("Cherokee", 0x13A0, 0x13FF),
    ("UnifiedCanadianAboriginalSyllabics", 0x1400, 0x167F),
    ("Ogham", 0x1680, 0x169F),
    ("Runic", 0x16A0, 0x16FF),
    ("Tagalog", 0x1700, 0x171F),
    ("Hanunoo", 0x1720, 0x173F),
    ("Buhid", 0x1740, 0x175F),
    ("Tagbanwa", 0x1760, 0x177F),
    ("Khmer", 0x1780, 0x17FF),
    ("Mongolian", 0x1800, 0x18AF),
    ("Limbu", 0x1900, 0x194F),
    ("TaiLe", 0x1950, 0x197F),
    ("KhmerSymbols", 0x19E0, 0x19FF),
    ("PhoneticExtensions", 0x1D00, 0x1D7F),
    ("LatinExtendedAdditional", 0x1E00, 0x1EFF),
    ("GreekExtended", 0x1F00, 0x1FFF),
    ("GeneralPunctuation", 0x2000, 0x206F),
    ("SuperscriptsandSubscripts", 0x2070, 0x209F),
    ("CurrencySymbols", 0x20A0, 0x20CF),
    ("CombiningDiacriticalMarksforSymbols", 0x20D0, 0x20FF),
    ("CombiningMarksforSymbols", 0x20D0, 0x20FF),
    ("LetterlikeSymbols", 0x2100, 0x214F),
    ("NumberForms", 0x2150, 0x218F),
    ("Arrows", 0x2190, 0x21FF),
    ("MathematicalOperators", 0x2200, 0x22FF),
    ("MiscellaneousTechnical", 0x2300, 0x23FF),
    ("ControlPictures", 0x2400, 0x243F),
    ("OpticalCharacterRecognition", 0x2440, 0x245F),
    ("EnclosedAlphanumerics", 0x2460, 0x24FF),
    ("BoxDrawing", 0x2500, 0x257F),
    ("BlockElements", 0x2580, 0x259F),
    ("GeometricShapes", 0x25A0, 0x25FF),
    ("MiscellaneousSymbols", 0x2600, 0x26FF),
    ("Dingbats", 0x2700, 0x27BF),
    ("MiscellaneousMathematicalSymbols-A", 0x27C0, 0x27EF),
    ("SupplementalArrows-A", 0x27F0, 0x27FF),
    ("BraillePatterns", 0x2800, 0x28FF),
    ("SupplementalArrows-B", 0x2900, 0x297F),
    ("MiscellaneousMathematicalSymbols-B", 0x2980, 0x29FF),
    ("SupplementalMathematicalOperators", 0x2A00, 0x2AFF),
    ("MiscellaneousSymbolsandArrows", 0x2B00, 0x2BFF),
    ("CJKRadicalsSupplement", 0x2E80, 0x2EFF),
    ("KangxiRadicals", 0x2F00, 0x2FDF),
    ("IdeographicDescriptionCharacters", 0x2FF0, 0x2FFF),
    ("CJKSymbolsandPunctuation", 0x3000, 0x303F),
    ("Hiragana", 0x3040, 0x309F),
    ("Katakana", 0x30A0, 0x30FF),
    ("Bopomofo", 0x3100, 0x312F),
    ("HangulCompatibilityJamo", 0x3130, 0x318F),
    ("Kanbun", 0x3190, 0x319F),
    ("BopomofoExtended", 0x31A0, 0x31BF),
    ("KatakanaPhoneticExtensions", 0x31F0, 0x31FF),
    ("EnclosedCJKLettersandMonths", 0x3200, 0x32FF),
    ("CJKCompatibility", 0x3300, 0x33FF),
    ("CJKUnifiedIdeographsExtensionA", 0x3400, 0x4DBF),
    ("YijingHexagramSymbols", 0x4DC0, 0x4DFF),
    ("CJKUnifiedIdeographs", 0x4E00, 0x9FFF),
    ("YiSyllables", 0xA000, 0xA48F),
    ("YiRadicals", 0xA490, 0xA4CF),
    ("HangulSyllables", 0xAC00, 0xD7AF),
    ("HighSurrogates", 0xD800, 0xDB7F),
    ("HighPrivateUseSurrogates", 0xDB80, 0xDBFF),
    ("LowSurrogates", 0xDC00, 0xDFFF),
    ("PrivateUse", 0xE000, 0xF8FF),
    ("PrivateUseArea", 0xE000, 0xF8FF),
    ("CJKCompatibilityIdeographs", 0xF900, 0xFAFF),
    ("AlphabeticPresentationForms", 0xFB00, 0xFB4F),
    ("ArabicPresentationForms-A", 0xFB50, 0xFDFF),
    ("VariationSelectors", 0xFE00, 0xFE0F),
    ("CombiningHalfMarks", 0xFE20, 0xFE2F),
    ("CJKCompatibilityForms", 0xFE30, 0xFE4F),
    ("SmallFormVariants", 0xFE50, 0xFE6F),
    ("ArabicPresentationForms-B", 0xFE70, 0xFEFF),
    ("HalfwidthandFullwidthForms", 0xFF00, 0xFFEF),
    ("Specials", 0xFFF0, 0xFFFF),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_operations() {
        let set = CharSet::new([(5, 9), (1, 3), (4, 4), (20, u16::MAX)]);
        assert_eq!(set.ranges(), [(1, 9), (20, u16::MAX)]);
        assert_eq!(set.complement().ranges(), [(0, 0), (10, 19)]);
        assert_eq!(set.complement().complement(), set);
        assert_eq!(
            set.minus(&CharSet::new([(2, 30)])).ranges(),
            [(1, 1), (31, u16::MAX)]
        );
        for (unit, expected) in [
            (0, false),
            (1, true),
            (9, true),
            (10, false),
            (u16::MAX, true),
        ] {
            assert_eq!(set.contains(unit), expected, "{unit}");
        }
    }

    #[test]
    fn letter_case_of_the_invariant_culture() {
        let pair = |a: char, b: char| {
            lower(u16::try_from(u32::from(a)).unwrap())
                == lower(u16::try_from(u32::from(b)).unwrap())
        };
        assert!(pair('a', 'A') && pair('É', 'é') && pair('Σ', 'σ'));
        assert!(pair('k', '\u{212A}') && pair('å', '\u{212B}') && pair('ω', '\u{2126}'));
        // Neither the Turkish letters nor what only folds to the same are the same.
        assert!(!pair('i', '\u{130}') && !pair('i', '\u{131}') && !pair('I', '\u{131}'));
        assert!(!pair('s', 'ſ') && !pair('µ', 'μ') && !pair('σ', 'ς'));
        let k = CharSet::one(0x4B).with_lower_case().ignoring_case();
        assert_eq!(k.ranges(), [(0x4B, 0x4B), (0x6B, 0x6B), (0x212A, 0x212A)]);
        for unit in (0..0x600).chain([0x212A, 0xD800, 0xFF21]) {
            let set = CharSet::one(lower(unit)).ignoring_case();
            assert_eq!(CharSet::letter(unit), set, "{unit:x}");
        }
    }

    #[test]
    fn every_category_and_block_is_known() {
        for name in CATEGORIES {
            assert!(
                category(name).is_some_and(|set| !set.ranges().is_empty()),
                "{name}"
            );
        }
        for (name, first, last) in BLOCKS {
            assert!(first <= last && block(name).is_some(), "{name}");
        }
        assert!(category("Greek").is_none() && category("lu").is_none());
    }
}
