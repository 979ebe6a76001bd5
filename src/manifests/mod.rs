//! Every container image that a Kubernetes document names, and pointing it at another registry.
//!
//! ```text
//! bytes ──read──▶ texts ──walk──▶ mentions, objects, findings ──rewrite──▶ bytes
//!                 the file, and the texts inside of its strings that are documents themselves
//! ```
//!
//! All callers use [`scan`], so that listing, caching, rewriting and checking agree. Each result has its place; it also
//! reports strings that sealer's own search would take, but that were skipped.
//!
//! | kind | what |
//! |---|---|
//! | container | `image` of an item of `containers`, `initContainers`, `ephemeralContainers`; `volumes[].image.reference` |
//! | key | a string at a key `image`, or at a key that ends in it, with a tag, a digest or a registry |
//! | parts | a map at such a key with `repository` and `tag`; a string `image` with a `tag` next to it |
//! | value | any other string that is a reference with a registry and a tag or digest, whole or behind the first `=` |
//! | listed | any other such string that is in an image list |
//!
//! Not searched: comments, schemas of custom resource definitions, `status`, `last-applied-configuration`, what a
//! template's expression decides, and sealer's own documents. A file without any `kind` and `apiVersion` is searched
//! for keys `image` alone.

mod model;
mod place;
mod read;
mod rewrite;
mod string_map;
mod text;
mod texts;
mod walk;

pub(crate) use model::{Finding, KubernetesObject, Mention, Problem, Scanned};
pub(crate) use read::{Form, Scan, objects, scan};
pub(crate) use rewrite::{ImageChange, ManifestError};

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::{REGISTRY, SHAPES, Shape, rewritten};
