//! What is known about inputs before any request.

use std::collections::{BTreeMap, BTreeSet};

use url::Url;

use crate::transport::redacted_url;
use crate::types::{Digest, Failure, FailureKind, ImageRef, ImageSource, Platform};

/// The inputs that a lock fixes: every request gets exactly these.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pins {
    /// The sha256 and the size in bytes of files, each by the [`public_url`] of its URL.
    pub files: BTreeMap<Url, (Digest, u64)>,
    /// What images' references stand for: the digest of the list if there is one.
    pub images: BTreeMap<(ImageSource, Platform), Digest>,
    /// Strings that look like images and were refused: optional requests for them fail.
    pub refused: BTreeSet<(ImageSource, Platform)>,
    /// Images that may still be requested by tag: the caller compares their contents.
    pub by_content: BTreeSet<(ImageSource, Platform)>,
    /// The recipe's file as the user typed it, for advice.
    pub recipe: String,
}

/// A public form of a URL with secrets: without user, password, query and fragment; if it has any of these, the
/// fragment is the sha256 of the whole URL. A public form stays the same.
#[must_use]
pub(crate) fn public_url(url: &Url) -> Url {
    let is_told = url.query().is_none()
        && url.username().is_empty()
        && url.password().is_none()
        && url.fragment().is_none_or(|fragment| fragment.parse::<Digest>().is_ok());
    if is_told {
        return url.clone();
    }
    let mut told = Url::parse(&redacted_url(url)).expect("a URL without some of its parts is one");
    told.set_fragment(Some(&Digest::of(url.as_str().as_bytes()).to_string()));
    told
}

/// What a run may do to inputs that no pin speaks of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Pinning {
    /// They are looked up, and a pinned tag that moved is reported.
    #[default]
    Open,
    /// They are failures.
    Required,
}

/// The inputs that a run got.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Resolved {
    /// The sha256 and the size in bytes of files.
    pub files: BTreeMap<Url, (Digest, u64)>,
    /// What images' references stood for.
    pub images: BTreeMap<(ImageSource, Platform), Digest>,
    /// Strings that looked like images and that their registries refused.
    pub refused: BTreeSet<(ImageSource, Platform)>,
}

impl Pins {
    /// The digest that an image has to have: of its own reference, else of the pin.
    pub(super) fn image(&self, image: &ImageSource, platform: &Platform) -> Option<Digest> {
        let pin = || self.images.get(&(image.clone(), platform.clone())).copied();
        image.reference().digest().or_else(pin)
    }

    /// The digest that a URL's file has to have by the pin.
    pub(super) fn file(&self, url: &Url) -> Option<Digest> {
        self.files.get(&public_url(url)).map(|(pin, _)| *pin)
    }

    /// The failure for an image that the pins do not know, or that they contradict.
    pub(super) fn refuse_image(&self, image: &ImageSource, platform: &Platform) -> Option<Failure> {
        let key = (image.clone(), platform.clone());
        match (self.images.get(&key), image.reference().digest()) {
            (Some(pin), Some(own)) if *pin != own => {
                let message = format!("the lock has {pin} for `{image}`, which names another digest");
                Some(self.outdated(message, &image.familiar()))
            }
            (Some(_), _) => None,
            (None, _) if self.by_content.contains(&key) => None,
            (None, _) => Some(self.missing(&format!("`{}` for {platform}", image.familiar()))),
        }
    }

    /// The failure for a file that the pins do not know, or that they contradict.
    pub(super) fn refuse_file(&self, url: &Url, shown: &str, digest: Option<Digest>) -> Option<Failure> {
        match (self.file(url), digest) {
            (Some(pin), Some(wanted)) if pin != wanted => {
                let message = format!("the lock has {pin} for `{shown}`, but the recipe has {wanted}");
                Some(self.outdated(message, shown))
            }
            (Some(_), _) => None,
            (None, _) => Some(self.missing(&format!("`{shown}`"))),
        }
    }

    /// The failure for something that the lock lacks.
    fn missing(&self, what: &str) -> Failure {
        let help =
            format!("to add what is missing, run `sealer recipe fetch {}`, or apply without `--locked`", self.recipe);
        Failure::new(FailureKind::Verification, format!("{what} is not in the lock")).with_help(help)
    }

    fn outdated(&self, message: String, name: &str) -> Failure {
        Failure::new(FailureKind::Verification, message).with_help(self.update(name))
    }

    /// The help for looking up an entry again.
    pub(super) fn update(&self, name: &str) -> String {
        format!("`sealer recipe lock {} --update {name}` looks it up again", self.recipe)
    }

    /// The failure for a tag without a pin when the network is off.
    pub(super) fn unknown_offline(&self, image: &ImageRef) -> Failure {
        let message =
            format!("`{image}` is not in the lock, and its tag cannot be looked up with the network switched off");
        Failure::new(FailureKind::Failed, message).with_help(self.fetch())
    }

    /// The help for filling the cache.
    pub(super) fn fetch(&self) -> String {
        match self.recipe.as_str() {
            "" => "run the command once with the network on".to_owned(),
            recipe => format!("run `sealer recipe fetch {recipe}` with the network on"),
        }
    }
}
