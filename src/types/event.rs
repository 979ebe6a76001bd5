//! Events that the work reports while it runs. The library reports; only the command line prints.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Digest, FailureKind, Place, Severity};

/// Something that happened. Sizes are in bytes. Serialised, one object a line, it is `--progress json`; readers must
/// ignore events and fields that they do not know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "event", rename_all = "camelCase", rename_all_fields = "camelCase")]
#[non_exhaustive]
pub enum Event {
    /// A stage starts for a platform.
    StageStarted {
        /// The stage's name.
        stage: String,
        /// The platform, `linux/amd64`.
        platform: String,
        /// The complete name of the image that the stage makes.
        image: String,
    },
    /// A context entry, a step or the build of a stage changed its state.
    Step {
        /// The stage's name.
        stage: String,
        /// What it is, in the recipe's words: `replaceArchive cri/docker.tar.gz`.
        step: String,
        /// Started, finished or skipped.
        state: StepState,
        /// What was done, for people: `9 files replaced`. Empty if it is not known yet.
        detail: String,
    },
    /// Progress of a transfer: bytes received, or sent in a push. The first event of a download has `received: 0`.
    Transfer {
        /// What is transferred: a URL without its query, or `reference digest-prefix`.
        what: String,
        /// Bytes so far.
        received: u64,
        /// The total size, if the other side said so.
        total: Option<u64>,
    },
    /// A transfer ended well, verified.
    Transferred {
        /// As in [`Event::Transfer`].
        what: String,
        /// The digest of what arrived.
        #[schemars(with = "String")]
        digest: Digest,
        /// Bytes.
        size: u64,
    },
    /// A complete container image is in the cache.
    ImagePulled {
        /// The complete reference.
        reference: String,
        /// The digest of its tag: of the list if there is one.
        #[schemars(with = "String")]
        digest: Digest,
        /// Sum of manifest, config and layers for the platform.
        size: u64,
        /// Only the manifest had to be requested.
        cached: bool,
    },
    /// An image was pushed to its registry, and its tag points to it.
    ImagePushed {
        /// The complete reference.
        reference: String,
        /// The new digest of its tag, of the list.
        #[schemars(with = "String")]
        digest: Digest,
        /// Sum of configs and layers of the platforms that were pushed.
        size: u64,
        /// How many bytes of them were sent; the rest was there.
        uploaded: u64,
    },
    /// A warning, for example about a retry. It is not a failure.
    Warning {
        /// The whole sentence.
        message: String,
    },
    /// A line that a user's command, such as RUN, printed.
    Output {
        /// What printed it, in the user's words: `RUN apt update`.
        what: String,
        /// The line, without its end.
        line: String,
    },
    /// A text that is printed once, and is neither progress nor a warning.
    Note {
        /// The whole text.
        message: String,
    },
    /// Output of `--verbose`.
    Log {
        /// The line.
        message: String,
    },
    /// An error or warning about a recipe or a Kubefile.
    Diagnostic {
        /// Error or warning.
        severity: Severity,
        /// The place that it is about.
        place: Place,
        /// What is wrong.
        message: String,
        /// More details.
        notes: Vec<String>,
        /// What to do next.
        help: Vec<String>,
    },
    /// Something failed. Several things can fail in one run.
    Failed {
        /// What kind of failure it is.
        kind: ProblemKind,
        /// The place that asked for it.
        place: Option<Place>,
        /// What was tried and failed.
        message: String,
        /// Why, from the near to the far.
        causes: Vec<String>,
        /// What to do next.
        help: Vec<String>,
    },
    /// The run is over: always the last line.
    Ended {
        /// The process's exit code.
        exit_code: u8,
    },
}

/// What kind of failure ended a run; each has its exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ProblemKind {
    /// Exit code 5: no answer, busy, cut short; the same command may succeed later.
    Retry,
    /// Exit code 1: it failed while it was done.
    Failed,
    /// Exit code 4: a digest, a lock or an image that its registry says it does not have.
    Verification,
    /// Exit code 3: the recipe, its values or the Kubefile are invalid.
    Invalid,
    /// Exit code 2: the arguments are wrong.
    Usage,
    /// Exit code 70: a mistake in the program.
    Bug,
}

impl From<FailureKind> for ProblemKind {
    fn from(kind: FailureKind) -> Self {
        match kind {
            FailureKind::Retry => Self::Retry,
            FailureKind::Failed => Self::Failed,
            FailureKind::Verification => Self::Verification,
            FailureKind::Invalid => Self::Invalid,
        }
    }
}

/// The state of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum StepState {
    /// It began.
    Started,
    /// It changed something.
    Done,
    /// It had nothing to do, and that was allowed.
    Skipped,
}

/// Receives [`Event`]s. Called from several threads.
pub trait Observer: Send + Sync {
    /// Handles one event; must not block for long.
    fn event(&self, event: Event);
}

/// Ignores all events.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn event(&self, _: Event) {}
}
