//! The rules of a registries.conf.

/// One `[[registry]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    /// `HOST[:PORT][/PATH]` or `*.DOMAIN`.
    pub(super) prefix: String,
    /// What replaces the prefix; `None`, with a wildcard, leaves the name as it is.
    pub(super) location: Option<String>,
    pub(super) insecure: bool,
    pub(super) blocked: bool,
    pub(super) mirrors: Vec<Mirror>,
}

/// One `[[registry.mirror]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mirror {
    pub(super) location: String,
    pub(super) insecure: bool,
    pub(super) pulls: Pulls,
}

/// Which references a mirror is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pulls {
    All,
    DigestOnly,
    TagOnly,
}
