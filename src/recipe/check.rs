//! Rules that the types of the model cannot express: rules between fields, if they do not depend on templates.

use std::collections::HashMap;

use super::{API_VERSION, ContextEntry, KIND, LayerEntry, Recipe};
use crate::document::{DataValue, Sink, Text, exactly_one, map_of_values, no_paths, span_of};
use crate::steps::Step;
use crate::syntax::shortened;
use crate::types::{ContextPath, Diagnostic, Span};

/// Checks a whole recipe and turns pasted lists into their usual form.
pub(super) fn recipe(recipe: &mut Recipe, sink: &Sink) {
    constant(&recipe.api_version, "apiVersion", API_VERSION, sink);
    constant(&recipe.kind, "kind", KIND, sink);
    name(&recipe.metadata.name, "recipe", sink);
    if let Some(values) = &recipe.values {
        map_of_values(values, sink);
    }
    if let Some(schema) = &recipe.values_schema
        && !matches!(schema.value, DataValue::Map(_))
    {
        let message = format!("`valuesSchema` must be a map, not {}", schema.kind());
        sink.add(Diagnostic::error(schema.span, message).with_label("expected a JSON Schema"));
    }
    if let Some(platforms) = &recipe.platforms {
        unique(platforms, "platform", sink);
    }
    let names: Vec<Text> = recipe.stages.iter().map(|stage| stage.name.clone()).collect();
    unique(&names, "stage", sink);
    if recipe.stages.is_empty() && recipe.stages.span != Span::default() && !sink.has_error_at(recipe.stages.span) {
        sink.add(Diagnostic::error(recipe.stages.span, "there are no stages").with_label("expected at least one"));
    }
    for stage in &mut recipe.stages.value {
        name(&stage.name, "stage", sink);
        for entry in &stage.context {
            match &entry.value {
                ContextEntry::Layer(layer) => {
                    one_layer(layer, entry.span, sink);
                    chosen_paths(layer.paths.as_deref(), entry.span, sink);
                }
                ContextEntry::Rootfs(rootfs) => chosen_paths(rootfs.paths.as_deref(), entry.span, sink),
                ContextEntry::Directory(directory) => recipe_in_context(&directory.path, sink),
            }
        }
        for step in &mut stage.steps {
            Step::check(step, sink);
        }
    }
}

/// A missing text was reported when the recipe was read.
fn is_stand_in(text: &Text) -> bool {
    text.span == Span::default() || text.value.is_empty()
}

fn constant(text: &Text, field: &str, expected: &str, sink: &Sink) {
    if text.value != expected && text.span != Span::default() && !sink.has_error_at(text.span) {
        let message = format!("`{field}` must be `{expected}`, not `{}`", shortened(&text.value));
        sink.add(Diagnostic::error(text.span, message).with_label(format!("expected `{expected}`")));
    }
}

fn name(text: &Text, what: &str, sink: &Sink) {
    let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    let is_good = text.bytes().all(word) && !text.starts_with('-') && !text.ends_with('-') && !text.is_empty();
    if !is_good && text.span != Span::default() && !sink.has_error_at(text.span) {
        let message = format!("`{}` is not a valid name for a {what}", shortened(&text.value));
        sink.add(Diagnostic::error(text.span, message).with_label("expected lower-case letters, digits and `-`"));
    }
}

fn unique(texts: &[Text], what: &str, sink: &Sink) {
    let mut first: HashMap<&str, Span> = HashMap::new();
    for text in texts.iter().filter(|text| !is_stand_in(text)) {
        if first.insert(&text.value, text.span).is_some() {
            let message = format!("the {what} `{}` is there twice", shortened(&text.value));
            sink.add(Diagnostic::error(text.span, message).with_label("the second one"));
        }
    }
}

/// An empty list would mean everything, and readers would not expect that.
fn chosen_paths(paths: Option<&[Text]>, at: Span, sink: &Sink) {
    if paths.is_some_and(<[Text]>::is_empty) && !sink.has_error_in(at) {
        sink.add(no_paths(at).with_help("remove `paths` to take everything"));
    }
}

/// The recipe's own folder has the recipe in it: a comment in the recipe, or its lock, would then change the image.
fn recipe_in_context(path: &Text, sink: &Sink) {
    if path.span != Span::default() && path.value.parse::<ContextPath>().is_ok_and(|path| path.is_root()) {
        let message = "the recipe's folder contains the recipe itself: every change of the recipe changes the image";
        let help = "put the files into a folder next to the recipe and name that folder";
        sink.add(Diagnostic::warning(path.span, message).with_help(help));
    }
}

fn one_layer(layer: &LayerEntry, at: Span, sink: &Sink) {
    if layer.of.span == Span::default() {
        return;
    }
    let fields = [
        ("containing", span_of(layer.containing.as_ref())),
        ("id", span_of(layer.id.as_ref())),
        ("index", span_of(layer.index.as_ref())),
    ];
    exactly_one(&fields, at, "which layer is meant", sink);
}
