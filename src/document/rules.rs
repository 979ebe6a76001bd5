//! Rules between the fields of a document that its types cannot say.

use super::sink::Sink;
use super::{Spanned, Text};
use crate::types::{Diagnostic, Span};

/// Checks that exactly one of some fields is there; `purpose` says what they are for.
pub(crate) fn exactly_one(fields: &[(&str, Option<Span>)], at: Span, purpose: &str, sink: &Sink) {
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

/// The place of a field, if it is there.
pub(crate) fn span_of<T>(field: Option<&Spanned<T>>) -> Option<Span> {
    field.map(|field| field.span)
}

/// Checks that there is at least one glob.
pub(crate) fn some_paths(paths: &[Text], at: Span, sink: &Sink) {
    if paths.is_empty() && !sink.has_error_in(at) {
        sink.add(no_paths(at));
    }
}

/// The mistake of an empty list of globs.
pub(crate) fn no_paths(at: Span) -> Diagnostic {
    Diagnostic::error(at, "`paths` is empty").with_label("expected at least one glob")
}

/// Checks that a text is not empty.
pub(crate) fn not_empty(text: &Text, field: &str, sink: &Sink) {
    if text.value.is_empty() && text.span != Span::default() && !sink.has_error_at(text.span) {
        sink.add(Diagnostic::error(text.span, format!("`{field}` is empty")));
    }
}
