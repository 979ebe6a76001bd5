//! Error messages of the YAML parser, reworded for people who write YAML.

use granit_parser::ErrorKind;

use super::{Limits, SyntaxError};
use crate::types::Span;

/// The error for the parser's complaint about byte `at`.
pub(super) fn describe(kind: &ErrorKind, text: &str, at: usize, limits: &Limits) -> SyntaxError {
    let rest = &text[at..];
    let width = rest.chars().next().filter(|c| *c != '\n' && *c != '\r').map_or(0, char::len_utf8);
    SyntaxError::new(Span::new(at, at + width), message(kind, limits))
}

fn message(kind: &ErrorKind, limits: &Limits) -> String {
    let words = match kind {
        ErrorKind::RecursionLimitExceeded => return limits.too_deep(),
        ErrorKind::UnknownAnchor => {
            "the anchor of this alias does not exist; a string that starts with `*` needs quotes"
        }
        ErrorKind::TabInBlockIndentation | ErrorKind::TabInIndentation | ErrorKind::TabNotAllowed => {
            "a tab is not allowed here: indent with spaces"
        }
        ErrorKind::UnclosedQuotedScalar => "a quoted string is not closed",
        ErrorKind::DocumentIndicatorInQuotedScalar => "a `---` or `...` inside a quoted string",
        ErrorKind::UnclosedFlowCollection { open } => return format!("a `{open}` is not closed"),
        ErrorKind::UnexpectedEofFlowSequence | ErrorKind::UnexpectedEofImplicitFlowMapping => {
            "the text ends before a `[` is closed"
        }
        ErrorKind::UnexpectedEofFlowMapping => "the text ends before a `{` is closed",
        ErrorKind::MismatchedFlowCollectionEnd { open, close } => {
            return format!("found `{close}`, but a `{open}` is open");
        }
        ErrorKind::MisplacedFlowCollectionEnd => "a closing bracket without an opening one",
        ErrorKind::ExpectedFlowMappingSeparator => "expected `,` or `}`",
        ErrorKind::ExpectedFlowSequenceSeparator => "expected `,` or `]`",
        ErrorKind::ExpectedBlockMappingKey => "expected a key at the indentation of the map's other keys",
        ErrorKind::ExpectedBlockSequenceEntry => "expected `- ` at the indentation of the list's other elements",
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => "expected `:` after the key",
        ErrorKind::MappingValueNotAllowed => {
            "a `:` is not allowed here; check the indentation, and quote a string that contains `: `"
        }
        ErrorKind::BlockSequenceEntryNotAllowed | ErrorKind::BlockEntryInFlowCollection => {
            "a list cannot start here; check the indentation"
        }
        ErrorKind::UnexpectedCharacter { character } => {
            let shown = character.escape_debug();
            return format!("a string that starts with `{shown}` needs quotes");
        }
        ErrorKind::UnknownQuotedScalarEscape => {
            "a `\\` is followed by an unknown escape; in single quotes it is a plain character"
        }
        ErrorKind::UndeclaredTagHandle => "a tag has an unknown prefix",
        ErrorKind::InvalidQuotedScalarIndent => {
            "the lines of a quoted string must be indented; or the quote before it is not closed"
        }
        ErrorKind::InvalidColonPlacement | ErrorKind::FlowMappingValueAdjacentCollection => {
            "a `:` is not allowed here; perhaps a bracket before it is not closed"
        }
        ErrorKind::InvalidIndentation | ErrorKind::InvalidFlowScalarIndent | ErrorKind::InvalidBlockScalarIndent => {
            "wrong indentation"
        }
        ErrorKind::InvalidBlockScalarHeader | ErrorKind::ZeroBlockScalarIndent => {
            "after `|` and `>`, only `-`, `+`, a digit from 1 to 9 and a comment are allowed"
        }
        ErrorKind::UnexpectedEof | ErrorKind::UnexpectedEofBlockMapping | ErrorKind::UnexpectedEofBlockSequence => {
            "the text ends too early"
        }
        ErrorKind::InvalidTrailingSingleQuotedScalar | ErrorKind::InvalidTrailingDoubleQuotedScalar => {
            "there is more text after the closing quote"
        }
        ErrorKind::MultipleDocumentsUnsupported | ErrorKind::ExpectedDocumentStart => {
            "expected the end of the document, or `---` before the next one"
        }
        other => return format!("this is not valid YAML: {other}"),
    };
    words.to_owned()
}
