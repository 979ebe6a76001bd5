//! What a request may do with a repository.

/// The kind of access to a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reading.
    Pull,
    /// Writing, and reading.
    Push,
}

impl Access {
    /// The scope to request a token for, based on the one that the registry named. The registry only knows the request
    /// that it refused.
    pub(super) fn scope(self, named: Option<String>, repository: &str) -> String {
        match (self, named) {
            (Self::Pull, Some(named)) => named,
            (Self::Pull, None) => format!("repository:{repository}:pull"),
            (Self::Push, None) => format!("repository:{repository}:pull,push"),
            (Self::Push, Some(named)) => match named.strip_suffix(":pull") {
                Some(one) if one.starts_with("repository:") && !one.contains(' ') => format!("{named},push"),
                _ => named,
            },
        }
    }
}
