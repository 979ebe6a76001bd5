//! The kinds of failure that the exit codes tell apart.

/// What kind of failure an error is; the command line maps it to its exit code.
///
/// Ordered by what a script must know first: where several things failed, the greatest kind counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FailureKind {
    /// No answer, busy, cut short: the same command may succeed later.
    Retry,
    /// Something failed while it was done: disk full, no permission, a step that does not fit.
    Failed,
    /// A digest, a lock or an image that its registry says it does not have.
    Verification,
    /// The recipe, its values or the Kubefile are invalid.
    Invalid,
}

impl FailureKind {
    /// The process's exit code.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Invalid => 3,
            Self::Verification => 4,
            Self::Retry => 5,
        }
    }
}
