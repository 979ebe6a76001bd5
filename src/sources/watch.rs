//! Checks in the background whether pinned tags moved.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use crate::transport::{Login, PullError, Puller};
use crate::types::{Digest, ImageRef, Platform};

/// How long the end of a run waits for answers that are still missing.
const PATIENCE: Duration = Duration::from_secs(10);

/// A pinned tag that moved.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct MovedTag {
    /// The image.
    pub image: ImageRef,
    /// The platform that it was used for.
    pub platform: Platform,
    /// What the pin says, and what was used.
    pub pinned: Digest,
    /// The digest that the registry has for the tag now.
    pub current: Digest,
}

/// What the registries said about the pinned tags that were used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TagNews {
    /// Those that moved.
    pub moved: Vec<MovedTag>,
    /// The tags that could not be checked.
    pub unknown: BTreeSet<ImageRef>,
    /// Why the first of `unknown` is unknown.
    pub reason: String,
}

/// Asks registries what tags stand for, in the background; each tag once.
#[derive(Default)]
pub(super) struct Watch {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    questions: BTreeMap<ImageRef, JoinHandle<Result<Digest, PullError>>>,
    used: BTreeMap<(ImageRef, Platform), Digest>,
}

impl Watch {
    /// Starts the check of a pinned tag.
    pub(super) fn tag(
        &self,
        runtime: &Runtime,
        puller: &Puller,
        login: Option<&Login>,
        tag: (&ImageRef, &Platform, Digest),
    ) {
        let (image, platform, pinned) = tag;
        let mut state = lock(&self.state);
        state.used.insert((image.clone(), platform.clone()), pinned);
        state.questions.entry(image.clone()).or_insert_with(|| {
            let (puller, image, login) = (puller.clone(), image.clone(), login.cloned());
            runtime.spawn(async move { puller.current(&image, login.as_ref()).await })
        });
    }

    /// The results so far; running checks get a few more seconds.
    pub(super) fn news(&self, runtime: &Runtime) -> TagNews {
        let State { questions, used } = std::mem::take(&mut *lock(&self.state));
        let deadline = tokio::time::Instant::now() + PATIENCE;
        let mut news = TagNews::default();
        let mut answers: BTreeMap<ImageRef, Digest> = BTreeMap::new();
        runtime.block_on(async {
            for (image, mut question) in questions {
                let why = match tokio::time::timeout_at(deadline, &mut question).await {
                    Ok(Ok(Ok(digest))) => {
                        answers.insert(image, digest);
                        continue;
                    }
                    Ok(Ok(Err(error))) => error.to_string(),
                    Ok(Err(_)) => format!("`{image}`: the request was stopped"),
                    Err(_) => {
                        question.abort();
                        format!("`{image}`: no answer in time")
                    }
                };
                if news.unknown.is_empty() {
                    news.reason = why;
                }
                news.unknown.insert(image);
            }
        });
        for ((image, platform), pinned) in used {
            if let Some(current) = answers.get(&image).copied().filter(|current| *current != pinned) {
                news.moved.push(MovedTag { image, platform, pinned, current });
            }
        }
        news
    }
}

/// The map stays valid if a thread panicked while it held the lock: entries are inserted as a whole.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
