//! The expressions `{{ … }}` of a template: where they are and what they mention.
//!
//! Tera evaluates them. This module reads them before, because a recipe's templates may do less than Tera's: they have
//! no statements, no loops, no functions and no unknown names.

use std::ops::Range;

use crate::types::{Diagnostic, Span};

/// The filters that may follow `|`. Each of them ends, and none makes a text longer than the limit.
pub(super) const FILTERS: &[&str] = &[
    "abs",
    "capitalize",
    "default",
    "first",
    "int",
    "join",
    "last",
    "length",
    "lower",
    "nth",
    "replace",
    "split",
    "str",
    "trim",
    "trim_end",
    "trim_start",
    "upper",
];

const KEYWORDS: &[&str] =
    &["and", "or", "not", "in", "is", "if", "else", "true", "false", "none", "True", "False", "None"];

/// A mistake in a template and its place in the content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Objection {
    pub(super) at: Range<usize>,
    pub(super) message: String,
    pub(super) help: Option<String>,
}

impl Objection {
    fn new(at: Range<usize>, message: impl Into<String>) -> Self {
        Self { at, message: message.into(), help: None }
    }

    fn with_help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    /// The mistake as a message about a place of a text.
    pub(super) fn into_diagnostic(self, span: Span) -> Diagnostic {
        let diagnostic = Diagnostic::error(span, self.message);
        match self.help {
            Some(help) => diagnostic.with_help(help),
            None => diagnostic,
        }
    }
}

/// A name that an expression mentions: `values.docker` as its parts, each with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mention {
    pub(super) parts: Vec<(String, Range<usize>)>,
    /// Whether the expression is this name and nothing else.
    pub(super) alone: bool,
}

/// A filter that an expression applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Applied {
    pub(super) name: String,
    pub(super) at: Range<usize>,
}

/// Everything that the expressions of a template mention.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Mentions {
    pub(super) names: Vec<Mention>,
    pub(super) filters: Vec<Applied>,
}

/// Whether a text has template syntax.
pub(super) fn is_template(text: &str) -> bool {
    ["{{", "{%", "{#"].iter().any(|opening| text.contains(opening))
}

/// Which templates may keep parts as they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Raw {
    /// Only whole contents of files.
    Allowed,
    /// All other strings.
    Refused,
}

/// Reads all expressions of a template; there are none in `{% raw %}…{% endraw %}`, if that is allowed.
pub(super) fn mentions(text: &str, raw: Raw) -> Result<Mentions, Objection> {
    let mut found = Mentions::default();
    let mut at = 0;
    while let Some(brace) = text[at..].find('{').map(|offset| at + offset) {
        match text.as_bytes().get(brace + 1) {
            Some(b'{') => {
                let (tokens, end) = tokens(text, brace)?;
                if tokens.is_empty() {
                    return Err(Objection::new(brace..end, "the expression is empty"));
                }
                read(&tokens, text, &mut found)?;
                at = end;
            }
            Some(b'%') => at = raw_end(text, brace, raw)?,
            Some(b'#') => {
                return Err(Objection::new(brace..brace + 2, "template comments `{# … #}` are not part of recipes")
                    .with_help("use YAML comments: `# …`; for the characters themselves, write `{{ \"{#\" }}`"));
            }
            _ => at = brace + 1,
        }
    }
    Ok(found)
}

/// Where the expressions of a template are, braces included.
pub(super) fn expressions(text: &str, raw: Raw) -> Result<Vec<Range<usize>>, Objection> {
    let (mut found, mut at) = (Vec::new(), 0);
    while let Some(brace) = text[at..].find('{').map(|offset| at + offset) {
        at = match text.as_bytes().get(brace + 1) {
            Some(b'{') => {
                let (_, end) = tokens(text, brace)?;
                found.push(brace..end);
                end
            }
            Some(b'%') => raw_end(text, brace, raw)?,
            _ => brace + 1,
        };
    }
    Ok(found)
}

/// The end of the raw part that begins at `open`.
fn raw_end(text: &str, open: usize, raw: Raw) -> Result<usize, Objection> {
    let objection = Objection::new(open..open + 2, "statements `{% … %}` are not part of recipes");
    let Some(inside) = tag_end(&text[open..], "raw").filter(|_| raw == Raw::Allowed) else {
        return Err(objection.with_help(match raw {
            Raw::Refused => "only expressions are: `{{ … }}`; for the characters themselves, write `{{ \"{%\" }}`",
            Raw::Allowed => {
                "only `{{ … }}` and `{% raw %}…{% endraw %}` are, and the latter keeps its content as it is"
            }
        }));
    };
    let mut at = open + inside;
    while let Some(tag) = text[at..].find("{%").map(|offset| at + offset) {
        match tag_end(&text[tag..], "endraw") {
            Some(length) => return Ok(tag + length),
            None => at = tag + 2,
        }
    }
    Err(Objection::new(open..open + inside, "the part that begins here is not closed")
        .with_help("it ends with `{% endraw %}`"))
}

/// The length of the tag `{% NAME %}` at the start of a text; dashes in it remove the white space around it.
fn tag_end(text: &str, name: &str) -> Option<usize> {
    let inner = text.strip_prefix("{%")?;
    let inner = inner.strip_prefix('-').unwrap_or(inner).trim_ascii_start();
    let rest = inner.strip_prefix(name)?.trim_ascii_start();
    let rest = rest.strip_prefix('-').unwrap_or(rest).strip_prefix("%}")?;
    Some(text.len() - rest.len())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Word,
    Quoted,
    Number,
    Sign,
}

type Token = (Kind, usize, usize);

/// The tokens of the expression that opens at `open`, and where it ends.
fn tokens(text: &str, open: usize) -> Result<(Vec<Token>, usize), Objection> {
    let bytes = text.as_bytes();
    let mut tokens = Vec::new();
    let mut at = open + 2;
    let mut braces = 0_usize;
    while let Some(byte) = bytes.get(at) {
        let start = at;
        let word = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
        let kind = match byte {
            b'}' if braces == 0 && bytes.get(at + 1) == Some(&b'}') => return Ok((tokens, at + 2)),
            b' ' | b'\t' | b'\n' | b'\r' => {
                at += 1;
                continue;
            }
            b'"' | b'\'' | b'`' => {
                at += 1;
                while bytes.get(at).is_some_and(|b| b != byte) {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                Kind::Quoted
            }
            b'0'..=b'9' => {
                while bytes.get(at + 1).is_some_and(word) {
                    at += 1;
                }
                Kind::Number
            }
            byte if word(byte) => {
                while bytes.get(at + 1).is_some_and(word) {
                    at += 1;
                }
                Kind::Word
            }
            b'{' => {
                braces += 1;
                Kind::Sign
            }
            b'}' => {
                braces = braces.saturating_sub(1);
                Kind::Sign
            }
            _ => Kind::Sign,
        };
        at = (at + 1).min(bytes.len());
        tokens.push((kind, start, at));
    }
    Err(Objection::new(open..open + 2, "the expression is not closed").with_help("an expression ends with `}}`"))
}

fn read(tokens: &[Token], text: &str, found: &mut Mentions) -> Result<(), Objection> {
    let word = |at: usize| tokens.get(at).map_or("", |(_, start, end)| text.get(*start..*end).unwrap_or_default());
    if tokens.is_empty() {
        return Ok(());
    }
    let mut at = 0;
    while let Some((kind, start, end)) = tokens.get(at).copied() {
        let before = if at > 0 { word(at - 1) } else { "" };
        let after = word(at + 1);
        at += 1;
        if kind != Kind::Word || KEYWORDS.contains(&word(at - 1)) {
            continue;
        }
        let name = word(at - 1);
        let here = start..end;
        if before == "|" {
            found.filters.push(Applied { name: name.to_owned(), at: here });
        } else if name == "for" {
            return Err(Objection::new(here, "loops are not part of recipes").with_help("write each element out"));
        } else if before == "is" || (before == "not" && at >= 3 && word(at - 3) == "is") {
            // The name of a test; Tera knows them.
        } else if before == "." {
            // A part after something that is not a name, as in `(…).a`.
        } else if after == "(" {
            return Err(Objection::new(
                here,
                format!("there is no function `{name}`: expressions cannot call functions"),
            ));
        } else if after == "=" && word(at + 1) != "=" {
            // The name of an argument.
        } else {
            let first = at - 1;
            let mut parts = vec![(name.to_owned(), here)];
            loop {
                let (kind, start, end) = tokens.get(at + 1).copied().unwrap_or((Kind::Sign, 0, 0));
                let part = word(at + 1);
                match (word(at), kind) {
                    (".", Kind::Word) => {
                        parts.push((part.to_owned(), start..end));
                        at += 2;
                    }
                    ("[", Kind::Quoted) if word(at + 2) == "]" && !part.contains('\\') && part.len() >= 2 => {
                        parts.push((part[1..part.len() - 1].to_owned(), start..end));
                        at += 3;
                    }
                    _ => break,
                }
            }
            found.names.push(Mention { parts, alone: first == 0 && at == tokens.len() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        let mentions = mentions(text, Raw::Refused).unwrap();
        let joined =
            |mention: &Mention| mention.parts.iter().map(|(part, _)| part.as_str()).collect::<Vec<_>>().join(".");
        mentions.names.iter().map(joined).collect()
    }

    #[test]
    fn names_are_found_wherever_they_stand() {
        assert_eq!(names("a {{ values.x }} {{values.y-1}}"), ["values.x", "values.y"]);
        assert_eq!(
            names("{{ values['a-b'].c | replace(from=\"values.no\", to=values.d) }}"),
            ["values.a-b.c", "values.d"]
        );
        assert_eq!(
            names("{{ 'x' if platform.machine == 'y' and not recipe.name is defined else values.l[0] }}"),
            ["platform.machine", "recipe.name", "values.l"]
        );
        assert_eq!(names("${ARCH} {a} { {"), [""; 0]);
        assert_eq!(names("{{ {'a': {'b': values.x}} }}"), ["values.x"]);
        assert_eq!(names("{{ \"{{ values.x }}\" }}"), [""; 0]);
    }

    #[test]
    fn what_recipes_do_not_have_is_refused() {
        for (text, at, message) in [
            ("a {% if x %}", 2..4, "statements `{% … %}` are not part of recipes"),
            ("{# x #}", 0..2, "template comments `{# … #}` are not part of recipes"),
            ("a{{ x", 1..3, "the expression is not closed"),
            ("{{ 'x }}", 0..2, "the expression is not closed"),
            ("{{ [x for x in values] }}", 6..9, "loops are not part of recipes"),
            ("{{ now() }}", 3..6, "there is no function `now`: expressions cannot call functions"),
        ] {
            let objection = mentions(text, Raw::Refused).unwrap_err();
            assert_eq!((objection.at, objection.message.as_str()), (at, message), "{text}");
        }
    }

    #[test]
    fn raw_parts_hold_no_expressions() {
        for (text, found) in [
            ("{% raw %}{{ a }}{% if %}{% endraw %}{{ values.b }}", vec!["values.b"]),
            ("{%- raw -%}{{ a }}{%- endraw -%}", vec![]),
            ("{%raw%}{{ a }}{%endraw%} {{ values.b }}", vec!["values.b"]),
            ("{% raw %}{% raw %}{% endraw %}", vec![]),
        ] {
            let mentions = mentions(text, Raw::Allowed).unwrap();
            let names: Vec<_> = mentions.names.iter().map(|mention| format!("values.{}", mention.parts[1].0)).collect();
            assert_eq!(names, found, "{text}");
        }
        for (text, at, message) in [
            ("a {% raw %} {{ x }}", 2..11, "the part that begins here is not closed"),
            ("{% raw %}{% endrawx %}", 0..9, "the part that begins here is not closed"),
            ("{% if x %}", 0..2, "statements `{% … %}` are not part of recipes"),
            ("{% endraw %}", 0..2, "statements `{% … %}` are not part of recipes"),
            ("{% rawx %}", 0..2, "statements `{% … %}` are not part of recipes"),
        ] {
            let objection = mentions(text, Raw::Allowed).unwrap_err();
            assert_eq!((objection.at, objection.message.as_str()), (at, message), "{text}");
        }
        assert!(mentions("{% raw %}{% endraw %}", Raw::Refused).is_err());
    }
}
