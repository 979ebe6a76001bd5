//! The values that the templates of a recipe name, also if the recipe has mistakes.

use super::expression::{self, Raw};
use super::{Text, content_span};
use crate::syntax::{Node, Value};
use crate::types::{Source, Span};

/// A value that a template names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Use {
    /// The names below `values`, from the outermost; empty if `values` is named as a whole.
    pub path: Vec<String>,
    /// Where.
    pub span: Span,
}

/// All values that a recipe's templates name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Uses {
    /// All uses, in the order of the text.
    pub named: Vec<Use>,
    /// Files in the recipe's folder that are templates too (`copy` with `template: true`), as written.
    pub files: Vec<String>,
    /// A template cannot be read, so it may name anything.
    pub is_uncertain: bool,
}

impl Uses {
    /// Those of a whole recipe.
    pub(crate) fn of(source: &Source, root: &Node) -> Self {
        let mut uses = Self::default();
        if let Value::Map(entries) = &root.followed().value {
            for (key, value) in entries {
                if !matches!(key.scalar(), Some("values" | "valuesSchema" | "metadata")) {
                    uses.gather(source, value);
                }
            }
        }
        uses
    }

    /// Adds the values that a file's template names; `false` if it cannot be read.
    pub(crate) fn add_file(&mut self, text: &str) {
        let Ok(mentions) = expression::mentions(text, Raw::Allowed) else {
            self.is_uncertain = true;
            return;
        };
        self.named.extend(mentions.names.iter().filter_map(|mention| {
            let (root, rest) = mention.parts.split_first()?;
            let path = rest.iter().map(|(part, _)| part.clone()).collect();
            (root.0 == "values").then_some(Use { path, span: Span::default() })
        }));
    }

    fn gather(&mut self, source: &Source, node: &Node) {
        match &node.followed().value {
            Value::Plain(content) | Value::Text(content) => self.scalar(source, node.followed(), content),
            Value::List(elements) => elements.iter().for_each(|element| self.gather(source, element)),
            Value::Map(entries) => {
                let template = node.get("template").and_then(Node::scalar);
                if let (Some("true"), Some(file)) = (template, node.get("from").and_then(Node::scalar)) {
                    self.files.push(file.to_owned());
                }
                for (key, value) in entries {
                    if template != Some("false") || key.scalar() != Some("content") {
                        self.gather(source, value);
                    }
                }
            }
            Value::Alias(_) => {}
        }
    }

    fn scalar(&mut self, source: &Source, node: &Node, content: &str) {
        if !expression::is_template(content) {
            return;
        }
        let Ok(mentions) = expression::mentions(content, Raw::Allowed) else {
            self.is_uncertain = true;
            return;
        };
        let text = Text::new(node.span, content.to_owned());
        for mention in mentions.names {
            let (Some((root, first)), Some((_, last))) = (mention.parts.first(), mention.parts.last()) else {
                continue;
            };
            if root == "values" {
                let span = content_span(source, &text, first.start..last.end);
                let path = mention.parts[1..].iter().map(|(part, _)| part.clone()).collect();
                self.named.push(Use { path, span });
            }
        }
    }
}
