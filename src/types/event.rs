//! What the work reports while it goes on. Modules below the command line report; only the command line draws.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Digest, FailureKind, Place, Severity};

/// Something that happened. Sizes are in bytes. Serialised, one object a line, it is `--progress json`; readers must
/// pass over events and fields that they do not know.
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
        /// What was done, for people: `9 files replaced`. Empty while it is not known.
        detail: String,
    },
    /// Bytes of a transfer arrived, here or, of a push, there. The first of one that comes here has `received: 0`.
    Transfer {
        /// What is transferred: a URL without its query, or `reference digest-prefix`.
        what: String,
        /// Bytes so far.
        received: u64,
        /// Bytes in all, where the other side said so.
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
    /// A container image is whole in the cache.
    ImagePulled {
        /// The complete reference.
        reference: String,
        /// The digest that its tag stands for: of the list where there is one.
        #[schemars(with = "String")]
        digest: Digest,
        /// Sum of manifest, config and layers for the platform.
        size: u64,
        /// Nothing but the manifest had to be asked for.
        cached: bool,
    },
    /// An image is in its registry, its tag stands for it.
    ImagePushed {
        /// The complete reference.
        reference: String,
        /// The digest that its tag stands for now, of the list.
        #[schemars(with = "String")]
        digest: Digest,
        /// Sum of configs and layers of the platforms that were pushed.
        size: u64,
        /// How many bytes of them were sent; the rest was there.
        uploaded: u64,
    },
    /// Something that a person should know and that is no failure; that something is tried again, for one.
    Warning {
        /// The whole sentence.
        message: String,
    },
    /// A line that a command of the user's, such as RUN, printed.
    Output {
        /// What printed it, in the user's words: `RUN apt update`.
        what: String,
        /// The line, without its end.
        line: String,
    },
    /// Something that is said once and is neither progress nor a warning.
    Note {
        /// The whole text.
        message: String,
    },
    /// What `--verbose` says.
    Log {
        /// The line.
        message: String,
    },
    /// What is wrong, or doubtful, about a recipe or a Kubefile.
    Diagnostic {
        /// Error or warning.
        severity: Severity,
        /// Where.
        place: Place,
        /// What is wrong.
        message: String,
        /// What else is known of it.
        notes: Vec<String>,
        /// What to do next.
        help: Vec<String>,
    },
    /// Something failed. Several things can fail in one run.
    Failed {
        /// What kind of failure it is.
        kind: ProblemKind,
        /// Who asked for it.
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
    /// Exit code 2: the arguments make no sense.
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

/// Where a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum StepState {
    /// It began.
    Started,
    /// It changed something.
    Done,
    /// It had nothing to do and said that this is fine.
    Skipped,
}

/// Whoever listens to [`Event`]s. Called from several threads.
pub trait Observer: Send + Sync {
    /// Takes one event; must not block for long.
    fn event(&self, event: Event);
}

/// Listens to nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn event(&self, _: Event) {}
}
