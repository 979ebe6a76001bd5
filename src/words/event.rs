//! What the work reports while it goes on. Rooms below the command line report; only the command line draws.

use serde::Serialize;

use super::Digest;

/// Something that happened. Sizes are in bytes. Serialised, one object a line, it is `--progress json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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
        digest: Digest,
        /// Bytes.
        size: u64,
    },
    /// A container image is whole in the cache.
    ImagePulled {
        /// The complete reference.
        reference: String,
        /// The digest that its tag stands for: of the list where there is one.
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
        digest: Digest,
        /// Sum of configs and layers of the platforms that were pushed.
        size: u64,
        /// How many bytes of them were sent; the rest was there.
        uploaded: u64,
    },
    /// Something that a person should know and that is no failure.
    Warning {
        /// The whole sentence.
        message: String,
    },
}

/// Where a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
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
