//! The known word that an unknown one was probably meant to be: for "did you mean" in help lines.

/// The words of `known` that are most like `word`, the nearest first, at most `most`: one in which a third of the letters
/// differ at most, or of which one is part of the other. Letter case, and `_` for `-`, do not count as differences.
///
/// ```
/// use spanned_xml::nearest;
///
/// assert_eq!(nearest("titel", ["title", "author-url"], 1), ["title"]);
/// assert_eq!(nearest("author_url", ["title", "author-url"], 1), ["author-url"]);
/// assert!(nearest("publisher", ["title", "author-url"], 1).is_empty());
/// ```
#[must_use]
pub fn nearest<'a>(
    word: &str,
    known: impl IntoIterator<Item = &'a str>,
    most: usize,
) -> Vec<&'a str> {
    let word = fold(word);
    let mut ranked: Vec<(usize, &str)> = known
        .into_iter()
        .filter_map(|candidate| {
            let folded = fold(candidate);
            let longer = word.chars().count().max(folded.chars().count());
            let distance = strsim::damerau_levenshtein(&word, &folded);
            let is_part =
                |part: &str, whole: &str| part.chars().count() >= 3 && whole.contains(part);
            (distance <= longer / 3 || is_part(&word, &folded) || is_part(&folded, &word))
                .then_some((distance, candidate))
        })
        .collect();
    ranked.sort();
    ranked.dedup();
    ranked
        .into_iter()
        .take(most)
        .map(|(_, candidate)| candidate)
        .collect()
}

/// Names longer than this are not typed by people; comparing them would take long.
const COMPARED_CHARS: usize = 100;

fn fold(word: &str) -> String {
    word.to_lowercase()
        .replace('_', "-")
        .chars()
        .take(COMPARED_CHARS)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        let known = ["title", "author-url", "install-webpi", "install-msdeploy"];
        for (word, expected) in [
            ("author_url", vec!["author-url"]),
            ("Title", vec!["title"]),
            ("titel", vec!["title"]),
            ("titles", vec!["title"]),
            ("install", vec!["install-webpi", "install-msdeploy"]),
            ("publisher", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(nearest(word, known, 2), expected, "{word}");
        }
        assert!(nearest("x", [], 2).is_empty());
    }
}
