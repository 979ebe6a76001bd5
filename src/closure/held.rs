//! Whether a registry's storage can serve an image.

use crate::image::{ContainerImage, ManifestError};
use crate::rootfs::{Missing, Obstacle, RegistryStorage};
use crate::types::{ImageRef, Platform};

/// What a registry's storage has of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Held {
    /// All of it, for the platform.
    Whole(Box<ContainerImage>),
    /// Nothing under that name.
    Absent,
    /// It exists, but only for other platforms.
    OtherPlatform(Vec<String>),
    /// It is incomplete or wrong: why.
    Broken(String),
}

/// What the storage has for a name. A reference with tag and digest is looked up by its digest.
pub(super) fn held(storage: RegistryStorage<'_>, image: &ImageRef, platform: &Platform) -> Held {
    let whole = match storage.image(image, platform) {
        Ok(whole) => whole,
        Err(Obstacle::Absent) => return Held::Absent,
        Err(Obstacle::Broken { missing, .. }) => return Held::Broken(missing.to_string()),
        Err(Obstacle::OtherPlatform(there)) => return Held::OtherPlatform(there),
    };
    match storage.other_platform(&whole) {
        None => {}
        Some(ManifestError::OtherPlatform { found, .. }) => return Held::OtherPlatform(vec![found]),
        Some(other) => return Held::Broken(other.to_string()),
    }
    let missing = match storage.missing(&whole) {
        Ok(missing) => missing,
        Err(error) => return Held::Broken(error.to_string()),
    };
    let missing: Vec<&Missing> = missing.iter().filter(|missing| !missing.is_history()).collect();
    match &missing[..] {
        [] => Held::Whole(Box::new(whole)),
        [one] => Held::Broken(one.to_string()),
        [first, more @ ..] => Held::Broken(format!("{first}, and {} more", more.len())),
    }
}
