//! What was probably meant.

/// The one of `candidates` that is nearest to `word`, if any is near enough to be worth a mention.
///
/// Nearness is Damerau-Levenshtein distance; up to a third of the word's length counts as near.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // The distance needs time and space for the product of the lengths, so long texts are skipped.
    let is_word = |text: &str| text.len() <= 100;
    let limit = (word.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .filter(|candidate| is_word(word) && is_word(candidate))
        .map(|candidate| (strsim::damerau_levenshtein(&word.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_found_and_far_ones_are_not() {
        let fields = ["path", "image", "platforms"];
        assert_eq!(nearest("imge", fields), Some("image"));
        assert_eq!(nearest("Path", fields), Some("path"));
        assert_eq!(nearest("platform", fields), Some("platforms"));
        assert_eq!(nearest("tigrea/operator", ["calico/cni", "tigera/operator"]), Some("tigera/operator"));
        assert_eq!(nearest("url", fields), None);
    }
}
