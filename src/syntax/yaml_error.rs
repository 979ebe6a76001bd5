//! What the YAML parser objects to, in words for people who write YAML.

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
        ErrorKind::UnknownAnchor => "an alias of an anchor that is not there; a text that starts with `*` needs quotes",
        ErrorKind::TabInBlockIndentation | ErrorKind::TabInIndentation | ErrorKind::TabNotAllowed => {
            "a tab where only spaces may indent"
        }
        ErrorKind::UnclosedQuotedScalar => "a quoted text that does not end",
        ErrorKind::DocumentIndicatorInQuotedScalar => "a `---` or `...` inside of a quoted text",
        ErrorKind::UnclosedFlowCollection { open } => return format!("a `{open}` that is not closed"),
        ErrorKind::UnexpectedEofFlowSequence | ErrorKind::UnexpectedEofImplicitFlowMapping => {
            "the text ends before a `[` is closed"
        }
        ErrorKind::UnexpectedEofFlowMapping => "the text ends before a `{` is closed",
        ErrorKind::MismatchedFlowCollectionEnd { open, close } => {
            return format!("a `{close}` where a `{open}` is to be closed");
        }
        ErrorKind::MisplacedFlowCollectionEnd => "a closing bracket without an opening one",
        ErrorKind::ExpectedFlowMappingSeparator => "expected `,` or `}`",
        ErrorKind::ExpectedFlowSequenceSeparator => "expected `,` or `]`",
        ErrorKind::ExpectedBlockMappingKey => "expected a key at the indentation of the map's other keys",
        ErrorKind::ExpectedBlockSequenceEntry => "expected `- ` at the indentation of the list's other elements",
        ErrorKind::SimpleKeyExpected | ErrorKind::InvalidSimpleKey => "expected `:` behind the key",
        ErrorKind::MappingValueNotAllowed => {
            "a `:` where no key can stand; check the indentation, and quote a text that contains `: `"
        }
        ErrorKind::BlockSequenceEntryNotAllowed | ErrorKind::BlockEntryInFlowCollection => {
            "a `- ` where no list can start; check the indentation"
        }
        ErrorKind::UnexpectedCharacter { character } => {
            let shown = character.escape_debug();
            return format!("a text that starts with `{shown}` needs quotes");
        }
        ErrorKind::UnknownQuotedScalarEscape => {
            "a `\\` that escapes nothing known; in single quotes it stands for itself"
        }
        ErrorKind::UndeclaredTagHandle => "a tag with an unknown prefix",
        ErrorKind::InvalidQuotedScalarIndent => {
            "the lines of a quoted text must be indented; or is the quote before it not closed?"
        }
        ErrorKind::InvalidColonPlacement | ErrorKind::FlowMappingValueAdjacentCollection => {
            "a `:` where none can stand; is a bracket before it not closed?"
        }
        ErrorKind::InvalidIndentation | ErrorKind::InvalidFlowScalarIndent | ErrorKind::InvalidBlockScalarIndent => {
            "wrong indentation"
        }
        ErrorKind::InvalidBlockScalarHeader | ErrorKind::ZeroBlockScalarIndent => {
            "behind `|` and `>` only `-`, `+`, a digit from 1 to 9 and a comment may stand"
        }
        ErrorKind::UnexpectedEof | ErrorKind::UnexpectedEofBlockMapping | ErrorKind::UnexpectedEofBlockSequence => {
            "the text ends too early"
        }
        ErrorKind::InvalidTrailingSingleQuotedScalar | ErrorKind::InvalidTrailingDoubleQuotedScalar => {
            "a text goes on behind its closing quote"
        }
        ErrorKind::MultipleDocumentsUnsupported | ErrorKind::ExpectedDocumentStart => {
            "expected the end of the document, or `---` before the next one"
        }
        other => return format!("this is no YAML: {other}"),
    };
    words.to_owned()
}
