//! A file with its documents.

use super::selector::{describe, is_empty};
use super::{DocumentSelector, EditError, Format};
use crate::syntax::{Limits, Node, SyntaxError, parse_json, parse_yaml};
use crate::types::Span;

/// A text and what it means, without its byte order mark.
#[derive(Debug)]
pub(super) struct Documents {
    pub(super) text: String,
    pub(super) format: Format,
    /// One root a document.
    pub(super) roots: Vec<Node>,
    has_mark: bool,
}

impl Documents {
    pub(super) fn read(bytes: &[u8], format: Format) -> Result<Self, EditError> {
        let text =
            std::str::from_utf8(bytes).map_err(|error| EditError::Encoding { valid_up_to: error.valid_up_to() })?;
        let (text, has_mark) = text.strip_prefix('\u{feff}').map_or((text, false), |text| (text, true));
        let roots = parse(text, format).map_err(|mut error| {
            if has_mark {
                error.span = Span::new(error.span.start + 3, error.span.end + 3);
                EditError::syntax(error, &format!("\u{feff}{text}"))
            } else {
                EditError::syntax(error, text)
            }
        })?;
        Ok(Self { text: text.to_owned(), format, roots, has_mark })
    }

    /// The index of the selected document among all roots.
    pub(super) fn pick(&self, selector: Option<&DocumentSelector>) -> Result<usize, EditError> {
        let there: Vec<(usize, &Node)> = self.roots.iter().enumerate().filter(|(_, root)| !is_empty(root)).collect();
        let listed = || there.iter().enumerate().map(|(index, (_, root))| describe(index, root)).collect();
        let picked: Vec<usize> = there
            .iter()
            .enumerate()
            .filter(|(index, (_, root))| selector.is_none_or(|selector| selector.picks(*index, root)))
            .map(|(_, (position, _))| *position)
            .collect();
        match (picked.as_slice(), selector) {
            ([one], _) => Ok(*one),
            _ if there.is_empty() => Err(EditError::Empty),
            (_, None) => Err(EditError::Unselected { there: listed() }),
            (_, Some(selector)) => {
                Err(EditError::Selection { selector: selector.clone(), picked: picked.len(), there: listed() })
            }
        }
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        if self.has_mark { format!("\u{feff}{}", self.text).into_bytes() } else { self.text.into_bytes() }
    }
}

/// The roots of a text's documents.
pub(crate) fn parse(text: &str, format: Format) -> Result<Vec<Node>, SyntaxError> {
    match format {
        Format::Json => parse_json(text, Limits::manifest()).map(|root| vec![root]),
        Format::Yaml => {
            let documents = parse_yaml(text, Limits::manifest())?;
            Ok(documents.into_iter().map(|document| document.root).collect())
        }
    }
}
