//! Globs of paths as recipes write them: `*` and `?` stop at `/`, `**` does not.

use globset::{Error, Glob, GlobBuilder, GlobSet, GlobSetBuilder};

/// Reads a glob. The error says what is wrong with its text.
pub(crate) fn glob(text: &str) -> Result<Glob, Error> {
    GlobBuilder::new(text).literal_separator(true).build()
}

/// Globs as one set; they were checked when the recipe was resolved, and one that is wrong all the same matches nothing.
pub(crate) fn glob_set(globs: &[String]) -> GlobSet {
    let mut set = GlobSetBuilder::new();
    for glob in globs.iter().filter_map(|text| glob(text).ok()) {
        set.add(glob);
    }
    set.build().unwrap_or_else(|_| GlobSet::empty())
}
