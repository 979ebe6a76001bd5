//! `manifests/imageList`: a reference a line.

pub(super) use crate::closure::{IMAGE_LIST as LIST, ListLine as Line, listed_images as images};
