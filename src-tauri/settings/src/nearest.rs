//! Which valid name was probably meant.

/// Longer names are not compared: they are no slips of the pen, and comparing costs the product of the lengths.
const NAME_CHARACTERS_MAX: usize = 64;

/// The candidate nearest to `found`, if one is near enough to be meant. Case, and `_` or a space for `-`, count as nothing.
pub fn nearest<'a>(found: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if found.chars().nth(NAME_CHARACTERS_MAX).is_some() {
        return None;
    }
    let found = plain(found);
    let reach = (found.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (distance(&found, &plain(candidate)), candidate))
        .filter(|(distance, _)| *distance <= reach)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `did you mean …?` for the nearest candidate.
pub fn did_you_mean<'a>(found: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    nearest(found, candidates).map(|name| format!("did you mean `{name}`?"))
}

fn plain(name: &str) -> String {
    name.to_lowercase().replace(['_', ' '], "-")
}

/// Edits between two names; a name that the other begins with (at least three characters) is one edit away.
fn distance(found: &str, candidate: &str) -> usize {
    let edits = strsim::osa_distance(found, candidate);
    if found.len() >= 3 && (candidate.starts_with(found) || found.starts_with(candidate)) {
        edits.min(1)
    } else {
        edits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bad input: the nearest valid name is given, and none where nothing is near.
    #[test]
    fn finds_the_nearest() {
        let names =
            ["stale-after", "title", "stat", "state", "states", "on", "kind", "remove-on", "expire", "expire-at"];
        for (found, name) in [
            ("stale-aftr", Some("stale-after")),
            ("stale_after", Some("stale-after")),
            ("StaleAfter", Some("stale-after")),
            ("tilte", Some("title")),
            ("stat-", Some("stat")),
            ("kinds", Some("kind")),
            ("expires", Some("expire")),
            ("zebra", None),
            ("", None),
        ] {
            assert_eq!(nearest(found, names), name, "{found}");
        }
        assert_eq!(nearest(&"x".repeat(100_000), names), None);
    }
}
