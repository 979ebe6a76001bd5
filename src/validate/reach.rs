//! Whether globs and paths can meet.

use crate::types::glob;

/// What may be below a path that something makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Below {
    /// Nothing: it is a file.
    Nothing,
    /// Anything: it may be a folder, or a symlink to a folder.
    Anything,
}

/// Whether a text is a glob and not the path itself.
pub(super) fn is_glob(text: &str) -> bool {
    text.contains(['*', '?', '[', '{', '\\'])
}

/// Whether something that `brought` matches, or a folder above it, can also match `wanted`; both are globs or paths. In
/// doubt, the answer is yes.
pub(super) fn can_meet(brought: &str, below: Below, wanted: &str) -> bool {
    // Choices and escapes may have a `/` in them.
    if [brought, wanted].iter().any(|text| text.contains(['{', '\\'])) {
        return true;
    }
    let parts = |text: &str| text.split('/').filter(|part| !matches!(*part, "" | ".")).map(str::to_owned).collect();
    let (brought, wanted): (Vec<String>, Vec<String>) = (parts(brought), parts(wanted));
    for at in 0.. {
        match (brought.get(at), wanted.get(at)) {
            // Folders above `brought` are there, too.
            (_, None) => return true,
            (None, Some(_)) => return below == Below::Anything,
            (Some(one), Some(other)) if one.contains("**") || other.contains("**") => return true,
            (Some(one), Some(other)) if !part_can_meet(one, other) => return false,
            (Some(_), Some(_)) => {}
        }
    }
    true
}

fn part_can_meet(one: &str, other: &str) -> bool {
    match (is_glob(one), is_glob(other)) {
        (false, false) => one == other,
        (true, true) => true,
        (true, false) => matches(one, other),
        (false, true) => matches(other, one),
    }
}

/// Whether a glob matches a path; `*` stops at `/`. An invalid glob was reported elsewhere, and matches everything.
pub(super) fn matches(text: &str, path: &str) -> bool {
    glob(text).map_or(true, |glob| glob.compile_matcher().is_match(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_and_paths_meet_where_one_path_fits_both() {
        for (brought, below, wanted, expected) in [
            ("etc/a", Below::Nothing, "etc/a", true),
            ("etc/a", Below::Nothing, "./etc//a", true),
            ("etc/a", Below::Nothing, "etc", true),
            ("etc/a", Below::Nothing, "etc/b", false),
            ("etc/a", Below::Nothing, "etc/a/b", false),
            ("etc/a", Below::Anything, "etc/a/b", true),
            ("etc/*.yaml", Below::Anything, "etc/a.yaml", true),
            ("etc/*.yaml", Below::Anything, "etc/a.json", false),
            ("etc/*.yaml", Below::Anything, "etc/a.yaml/b", true),
            ("etc/*.yaml", Below::Anything, "etc/*.yml", true),
            ("etc/*.yaml", Below::Anything, "bin/*", false),
            ("etc/**", Below::Anything, "etc/a/b/c", true),
            ("**/a", Below::Anything, "x/y", true),
            ("etc/{a,b}", Below::Anything, "bin", true),
            ("etc/a", Below::Nothing, "e*/?", true),
            ("etc/a", Below::Nothing, "**/a", true),
            ("", Below::Anything, "etc", true),
        ] {
            assert_eq!(can_meet(brought, below, wanted), expected, "{brought} {below:?} {wanted}");
        }
    }
}
