//! The known word that a misspelled word most likely means.

/// The candidate nearest to `word` by edit distance.
///
/// `None` if the nearest candidate has more edits than one plus a quarter of its length.
pub fn nearest<S: AsRef<str>>(word: &str, candidates: impl IntoIterator<Item = S>) -> Option<S> {
    candidates
        .into_iter()
        .map(|candidate| (distance(word, candidate.as_ref()), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.as_ref().len() / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Levenshtein's distance: the insertions, deletions and substitutions between two words.
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in to.chars().enumerate() {
            let substituted = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[row.len() - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distance_counts_edits() {
        for (from, to, edits) in [
            ("", "abc", 3),
            ("abc", "", 3),
            ("abc", "abc", 0),
            ("kitten", "sitting", 3),
            ("ab", "ba", 2),
        ] {
            assert_eq!(distance(from, to), edits, "{from} to {to}");
        }
    }

    #[test]
    fn a_word_far_from_every_candidate_has_no_nearest() {
        assert_eq!(nearest("statsu", ["status", "issuer_type"]), Some("status"));
        assert_eq!(nearest("region", ["status", "issuer_type"]), None);
    }
}
