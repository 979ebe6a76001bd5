//! Finds entries by the names that people type.

use std::collections::BTreeSet;

use url::Url;

use super::{Lock, Locked};
use crate::sources::public_url;
use crate::transport::redacted_url;
use crate::types::nearest;

/// Why a name does not find an entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// No entry has this name.
    #[error("the lock has no entry `{name}`{}", near.as_ref().map(|near| format!(": did you mean `{near}`?")).unwrap_or_default())]
    Unknown {
        /// The name.
        name: String,
        /// The nearest existing name.
        near: Option<String>,
    },
    /// Several entries have this end.
    #[error("`{name}` could be any of {}", quoted(several))]
    Several {
        /// The name.
        name: String,
        /// All entries with this end.
        several: Vec<String>,
    },
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

impl Locked {
    /// The entry's complete name: the URL, without its query, or the reference.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::File(url, _) => redacted_url(url),
            Self::Image(image, ..) => image.to_string(),
            Self::Base(name, ..) => name.to_string(),
        }
    }

    /// All names of the entry, the short form first.
    fn spellings(&self) -> Vec<String> {
        let mut all = match self {
            Self::File(url, _) => vec![url.to_string()],
            Self::Image(image, ..) => vec![image.familiar()],
            Self::Base(name, ..) => vec![name.familiar()],
        };
        all.push(self.name());
        // Without the tag; a port is followed by a path.
        let untagged = |name: &String| {
            let (name, _) = name.rsplit_once(':').filter(|(_, tag)| !tag.contains('/'))?;
            Some(name.to_owned())
        };
        if !matches!(self, Self::File(..)) {
            all.extend(all.iter().filter_map(untagged).collect::<Vec<_>>());
        }
        all
    }
}

impl Lock {
    /// All entries, in the order of the lock's text.
    pub fn entries(&self) -> impl Iterator<Item = Locked> {
        let files = self.files.iter().map(|(url, file)| Locked::File(url.clone(), *file));
        let images = self.images.iter().map(|((image, of), digest)| Locked::Image(image.clone(), of.clone(), *digest));
        let bases = self.bases.iter().map(|((name, of), base)| Locked::Base(name.clone(), of.clone(), base.clone()));
        files.chain(images).chain(bases)
    }

    /// The entries that `name` means, those of all platforms: a URL, an image in any spelling, with or without its tag,
    /// or the end of one of these after a `/`, if only one ends like this.
    pub fn named(&self, name: &str) -> Result<Vec<Locked>, NameError> {
        // People type a URL with its query.
        let url = name.parse::<Url>().map(|url| public_url(&url).to_string()).unwrap_or_default();
        let is_it = |one: &String| *one == name || *one == url;
        let exact: Vec<Locked> = self.entries().filter(|entry| entry.spellings().iter().any(is_it)).collect();
        if !exact.is_empty() {
            return Ok(exact);
        }
        let ending = format!("/{name}");
        let found: Vec<Locked> =
            self.entries().filter(|entry| entry.spellings().iter().any(|one| one.ends_with(&ending))).collect();
        let names: BTreeSet<String> = found.iter().map(Locked::name).collect();
        match names.len() {
            1 => Ok(found),
            0 => {
                let spellings: Vec<String> = self.entries().flat_map(|entry| entry.spellings()).collect();
                let near = nearest(name, spellings.iter().map(String::as_str)).map(str::to_owned);
                Err(NameError::Unknown { name: name.to_owned(), near })
            }
            _ => Err(NameError::Several { name: name.to_owned(), several: names.into_iter().collect() }),
        }
    }
}
