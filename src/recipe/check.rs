//! What the types of the model cannot say: rules between fields, as far as no template stands between.

use std::collections::HashMap;

use super::sink::Sink;
use super::{
    API_VERSION, ContextEntry, Data, DataValue, DocumentChoice, ImageList, KIND, LayerEntry, Operation, OperationName,
    Patch, Recipe, ReplaceArchive, ReplaceText, Spanned, Step, Text,
};
use crate::syntax::shortened;
use crate::types::{ContextPath, Diagnostic, Span};

/// Checks a whole recipe and brings pasted lists into form.
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
            let span = step.span;
            match &mut step.value {
                Step::ReplaceArchive(step) => one_origin(step, span, sink),
                Step::Patch(step) => patch(step, span, sink),
                Step::ImageList(step) => pasted_images(step, sink),
                Step::RewriteImages(step) => some_paths(&step.paths, span, sink),
                Step::Remove(step) => some_paths(&step.paths, span, sink),
                Step::Chmod(step) => some_paths(&step.paths, span, sink),
                Step::ReplaceText(step) => replace_text(step, sink),
                Step::Symlink(step) => not_empty(&step.target, "target", sink),
                Step::ReplaceImage(_) | Step::Write(_) | Step::Copy(_) | Step::Download(_) | Step::Move(_) => {}
            }
        }
    }
}

/// Checks that `values` is a map and holds nothing whose text a template would not show as it was written.
pub(super) fn map_of_values(values: &Data, sink: &Sink) {
    if let DataValue::Map(_) = &values.value {
        value(values, sink);
    } else {
        let message = format!("values must be a map, not {}", values.kind());
        sink.add(Diagnostic::error(values.span, message).with_label("expected names and their values"));
    }
}

fn value(data: &Data, sink: &Sink) {
    match &data.value {
        DataValue::Bool(_) | DataValue::Text(_) => {}
        DataValue::Null => {
            if !sink.has_error_at(data.span) {
                let help = "for an empty string, write `\"\"`";
                sink.add(Diagnostic::error(data.span, "a value cannot be null").with_help(help));
            }
        }
        DataValue::Number(number) => {
            if number.is_f64() {
                sink.add(
                    Diagnostic::error(data.span, format!("YAML reads `{number}` as a fraction"))
                        .with_label("expected a string, an integer or a boolean")
                        .with_help(format!("quote it: `\"{number}\"`")),
                );
            }
        }
        DataValue::List(elements) => elements.iter().for_each(|element| value(element, sink)),
        DataValue::Map(entries) => entries.iter().for_each(|(_, entry)| value(entry, sink)),
    }
}

/// A mistake that stood in for a missing text was recorded when it was read.
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

/// Checks that exactly one of some fields is there.
fn exactly_one(fields: &[(&str, Option<Span>)], at: Span, purpose: &str, sink: &Sink) {
    let names: Vec<String> = fields.iter().map(|(name, _)| format!("`{name}`")).collect();
    let there: Vec<Span> = fields.iter().filter_map(|(_, span)| *span).collect();
    let all = names.join(", ");
    match there.as_slice() {
        [_] => {}
        [] => sink
            .add(Diagnostic::error(at, format!("nothing says {purpose}")).with_label(format!("expected one of {all}"))),
        [.., last] => {
            let message = format!("only one of {all} can say {purpose}");
            sink.add(Diagnostic::error(*last, message).with_label("one too many"));
        }
    }
}

fn span_of<T>(field: Option<&Spanned<T>>) -> Option<Span> {
    field.map(|field| field.span)
}

/// An empty list would mean everything, which nobody reads out of it.
fn chosen_paths(paths: Option<&[Text]>, at: Span, sink: &Sink) {
    if paths.is_some_and(<[Text]>::is_empty) && !sink.has_error_in(at) {
        sink.add(no_paths(at).with_help("remove `paths` to take everything"));
    }
}

fn some_paths(paths: &[Text], at: Span, sink: &Sink) {
    if paths.is_empty() && !sink.has_error_in(at) {
        sink.add(no_paths(at));
    }
}

fn no_paths(at: Span) -> Diagnostic {
    Diagnostic::error(at, "`paths` is empty").with_label("expected at least one glob")
}

/// The recipe's own folder holds the recipe: a comment in it, or its lock, would then change the image.
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

fn one_origin(step: &ReplaceArchive, at: Span, sink: &Sink) {
    if step.path.span == Span::default() {
        return;
    }
    let fields = [("url", span_of(step.url.as_ref())), ("file", span_of(step.file.as_ref()))];
    exactly_one(&fields, at, "where the new archive comes from", sink);
}

fn not_empty(text: &Text, field: &str, sink: &Sink) {
    if text.value.is_empty() && text.span != Span::default() && !sink.has_error_at(text.span) {
        sink.add(Diagnostic::error(text.span, format!("`{field}` is empty")));
    }
}

fn replace_text(step: &ReplaceText, sink: &Sink) {
    not_empty(&step.find, "find", sink);
    if let Some(expect) = &step.expect
        && expect.value == 0
        && !sink.has_error_at(expect.span)
    {
        let help = "with `optional: true`, it is fine if there is nothing to replace";
        sink.add(Diagnostic::error(expect.span, "`expect` is 0: the step would do nothing").with_help(help));
    }
}

fn patch(step: &Patch, at: Span, sink: &Sink) {
    if step.path.span == Span::default() {
        return;
    }
    let fields = [("ops", span_of(step.ops.as_ref())), ("merge", span_of(step.merge.as_ref()))];
    exactly_one(&fields, at, "what is edited", sink);
    if let Some(ops) = step.ops.as_ref().filter(|ops| ops.is_empty())
        && !sink.has_error_in(ops.span)
    {
        sink.add(Diagnostic::error(ops.span, "`ops` is empty").with_label("expected at least one operation"));
    }
    if let Some(merge) = &step.merge
        && !sink.has_error_at(merge.span)
    {
        match &merge.value {
            DataValue::Map(entries) if entries.is_empty() => {
                sink.add(Diagnostic::error(merge.span, "`merge` is empty").with_label("expected at least one key"));
            }
            DataValue::Map(_) => {}
            DataValue::Null | DataValue::Bool(_) | DataValue::Number(_) | DataValue::Text(_) | DataValue::List(_) => {
                let message = format!("`merge` must be a map, not {}", merge.kind());
                sink.add(Diagnostic::error(merge.span, message).with_label("expected keys and their new values"));
            }
        }
    }
    if let Some(document) = &step.document {
        let DocumentChoice { kind, name, namespace, index } = &document.value;
        let by_content = [kind, name, namespace].into_iter().flatten().next();
        if by_content.is_none() && index.is_none() && !sink.has_error_in(document.span) {
            sink.add(
                Diagnostic::error(document.span, "nothing says which document is meant")
                    .with_label("expected `kind`, `name`, `namespace` or `index`"),
            );
        }
    }
    for operation in step.ops.iter().flat_map(|ops| ops.iter()) {
        fields_of_operation(operation, sink);
    }
}

fn fields_of_operation(operation: &Spanned<Operation>, sink: &Sink) {
    let Operation { op, path, value, from } = &operation.value;
    if path.span == Span::default() || op.span == Span::default() || sink.has_error_in(op.span) {
        return;
    }
    let (verb, needs_value, needs_from) = match op.value {
        OperationName::Add => ("add", true, false),
        OperationName::Replace => ("replace", true, false),
        OperationName::Test => ("test", true, false),
        OperationName::Remove => ("remove", false, false),
        OperationName::Move => ("move", false, true),
        OperationName::Copy => ("copy", false, true),
    };
    for (field, span, needed) in
        [("value", span_of(value.as_ref()), needs_value), ("from", span_of(from.as_ref()), needs_from)]
    {
        match (span, needed) {
            (None, true) => sink.add(
                Diagnostic::error(op.span, format!("`{verb}` needs `{field}`"))
                    .with_label(format!("expected `{field}` next to it")),
            ),
            (Some(span), false) => {
                sink.add(
                    Diagnostic::error(span, format!("`{verb}` takes no `{field}`")).with_label("not expected here"),
                );
            }
            (None, false) | (Some(_), true) => {}
        }
    }
}

/// Takes lists as they stand on the page, `- calico/cni:v3.19.1`, each of which YAML then makes a string with a `- `.
fn pasted_images(list: &mut ImageList, sink: &Sink) {
    for listed in &mut list.images {
        let image = &mut listed.value.image;
        let Some(reference) = image.value.strip_prefix("- ") else { continue };
        let reference = reference.trim().to_owned();
        sink.add(
            Diagnostic::warning(image.span, "the `- ` in front of the image is ignored")
                .with_help(format!("write `{reference}`")),
        );
        image.value = reference;
    }
}
