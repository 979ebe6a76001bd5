//! `imageList` as written → concrete.

use std::collections::BTreeMap;

use crate::plan::{ListEntry, PlannedStep, Route};
use crate::recipe::{self, ListedImage};
use crate::types::{Diagnostic, ImageSource, Span};

use super::StageResolver;

impl StageResolver<'_> {
    pub(super) fn image_list(&mut self, written: &recipe::ImageList, span: Span, route: &Route) -> Option<PlannedStep> {
        let path = match &written.path {
            Some(path) => self.changed_file(path, &route.then("path")),
            None => "imageList".parse().ok(),
        };
        if written.images.is_empty() && written.from.is_empty() && !written.optional {
            let message = "the list would be empty: neither `images` nor `from` names an image";
            self.mistakes
                .push(Diagnostic::error(span, message).with_help("write `optional: true` if that is what you want"));
        }
        let mut images = Vec::new();
        let mut seen: BTreeMap<String, (ImageSource, Span)> = BTreeMap::new();
        for (index, item) in written.images.iter().enumerate() {
            let route = route.then("images").then(index);
            let ListedImage { image, needed_by } = &item.value;
            // All are looked at, so that all mistakes are found; after one of them nothing of the step is used.
            let Some(reference) = self.parsed::<ImageSource>(image, &route) else { continue };
            self.mark(&route, image.span);
            let needed_by = match needed_by {
                Some(text) => Some(self.render(text, &route.then("for"))?),
                None => None,
            };
            let key = crate::plan::registry_path(reference.reference());
            if let Some((earlier, place)) = seen.get(&key) {
                let line = self.source.position(place.start).line;
                let mistake = if *earlier == reference {
                    Diagnostic::error(image.span, format!("`{reference}` is in the list twice"))
                        .with_label(format!("it is already in line {line}"))
                } else {
                    Diagnostic::error(image.span, format!("`{reference}` and `{earlier}` get the same path"))
                        .with_label(format!("the image's registry can hold only one of them, as `{key}`"))
                        .with_help(format!("the other one is in line {line}"))
                };
                self.mistakes.push(mistake);
            }
            seen.insert(key, (reference.clone(), image.span));
            images.push(ListEntry { image: reference, needed_by });
        }
        let from = self.globs(&written.from, &route.then("from"));
        let ignore = self.globs(&written.ignore, &route.then("ignore"));
        Some(PlannedStep::ImageList { path: path?, images, from: from?, ignore: ignore?, optional: written.optional })
    }
}
