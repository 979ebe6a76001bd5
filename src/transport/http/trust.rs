//! How much an https connection is trusted.

/// Whether the other side must prove who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    /// By a certificate that the system trusts.
    Verified,
    /// Not at all: the user marked this host as insecure.
    Insecure,
}
