//! JSON text (RFC 8259) as a tree, strictly: what another reader might take otherwise is refused.

use std::collections::HashSet;

use super::{Limits, Node, SyntaxError, Value, shortened};
use crate::types::Span;

/// Parses one JSON text; a byte order mark before it is passed over.
///
/// Numbers and `true`, `false`, `null` become [`Value::Plain`] with their very text, strings [`Value::Text`].
/// Spans count the bytes of the whole `text`, byte order mark included.
///
/// # Errors
/// Whatever RFC 8259 does not allow, a key twice in one object, text after the value, escapes of half a surrogate pair,
/// and all that breaks `limits`.
pub(crate) fn parse_json(text: &str, limits: Limits) -> Result<Node, SyntaxError> {
    limits.check_size(text)?;
    let at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut parser = Parser { text, at, depth: 0, spent: 0, limits };
    parser.skip_blanks();
    let node = parser.value()?;
    parser.skip_blanks();
    if parser.at < text.len() {
        return Err(parser.unexpected("the end of the text"));
    }
    Ok(node)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    spent: usize,
    limits: Limits,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// An error at the next character.
    fn unexpected(&self, expected: &str) -> SyntaxError {
        match self.text[self.at..].chars().next() {
            None => SyntaxError::new(Span::new(self.at, self.at), format!("the text ends, expected {expected}")),
            Some(found) => {
                let span = Span::new(self.at, self.at + found.len_utf8());
                SyntaxError::new(span, format!("expected {expected}, found `{}`", found.escape_debug()))
            }
        }
    }

    fn value(&mut self) -> Result<Node, SyntaxError> {
        let start = self.at;
        self.spent += 1;
        if self.spent > self.limits.nodes {
            return Err(SyntaxError::new(Span::new(start, start), self.limits.too_many()));
        }
        let value = match self.peek() {
            Some(b'{') => self.nested(Self::object)?,
            Some(b'[') => self.nested(Self::array)?,
            Some(b'"') => Value::Text(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b'a'..=b'z') => self.word()?,
            _ => return Err(self.unexpected("a value")),
        };
        Ok(Node::new(Span::new(start, self.at), value))
    }

    fn nested(&mut self, parse: fn(&mut Self) -> Result<Value, SyntaxError>) -> Result<Value, SyntaxError> {
        if self.depth == self.limits.depth {
            return Err(SyntaxError::new(Span::new(self.at, self.at + 1), self.limits.too_deep()));
        }
        self.depth += 1;
        // The bracket.
        self.at += 1;
        self.skip_blanks();
        let value = parse(self)?;
        self.depth -= 1;
        Ok(value)
    }

    fn object(&mut self) -> Result<Value, SyntaxError> {
        let mut entries: Vec<(Node, Node)> = Vec::new();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Value::Map(entries));
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.unexpected("a key in double quotes"));
            }
            let start = self.at;
            let key = self.string()?;
            let key = Node::new(Span::new(start, self.at), Value::Text(key));
            self.skip_blanks();
            if self.peek() != Some(b':') {
                return Err(self.unexpected("`:`"));
            }
            self.at += 1;
            self.skip_blanks();
            let value = self.value()?;
            entries.push((key, value));
            if self.ends(b'}', "`,` or `}`")? {
                break;
            }
        }
        if !self.limits.repeated_keys {
            refuse_twins(&entries)?;
        }
        Ok(Value::Map(entries))
    }

    fn array(&mut self) -> Result<Value, SyntaxError> {
        let mut elements = Vec::new();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(Value::List(elements));
        }
        loop {
            elements.push(self.value()?);
            if self.ends(b']', "`,` or `]`")? {
                break;
            }
        }
        Ok(Value::List(elements))
    }

    /// After an element: whether the collection ends here, or goes on after a comma.
    fn ends(&mut self, bracket: u8, expected: &str) -> Result<bool, SyntaxError> {
        self.skip_blanks();
        let ends = match self.peek() {
            Some(byte) if byte == bracket => true,
            Some(b',') => false,
            _ => return Err(self.unexpected(expected)),
        };
        self.at += 1;
        if !ends {
            self.skip_blanks();
        }
        Ok(ends)
    }

    fn word(&mut self) -> Result<Value, SyntaxError> {
        let rest = &self.text[self.at..];
        let length = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
        let word = &rest[..length];
        if !matches!(word, "true" | "false" | "null") {
            let span = Span::new(self.at, self.at + length);
            return Err(SyntaxError::new(span, format!("expected a value, found `{}`", shortened(word))));
        }
        self.at += length;
        Ok(Value::Plain(word.to_owned()))
    }

    fn number(&mut self) -> Result<Value, SyntaxError> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
            if self.peek().is_some_and(|b| b.is_ascii_digit()) {
                let span = Span::new(start, self.at + 1);
                return Err(SyntaxError::new(span, "a number must not have a leading zero"));
            }
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(Value::Plain(self.text[start..self.at].to_owned()))
    }

    fn digits(&mut self) -> Result<(), SyntaxError> {
        if !self.peek().is_some_and(|b| b.is_ascii_digit()) {
            return Err(self.unexpected("a digit"));
        }
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
        }
        Ok(())
    }

    fn string(&mut self) -> Result<String, SyntaxError> {
        let start = self.at;
        self.at += 1;
        let mut string = String::new();
        loop {
            let rest = &self.text.as_bytes()[self.at..];
            let run = rest.iter().position(|b| matches!(b, b'"' | b'\\' | 0..=0x1f)).unwrap_or(rest.len());
            string.push_str(&self.text[self.at..self.at + run]);
            self.at += run;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(string);
                }
                Some(b'\\') => string.push(self.escape()?),
                Some(_) => return Err(self.unexpected("an escape for this control character")),
                None => return Err(SyntaxError::new(Span::new(start, start + 1), "this string has no closing quote")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, SyntaxError> {
        let start = self.at;
        self.at += 1;
        let simple = match self.peek() {
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                return self.code_point(start);
            }
            _ => return Err(self.unexpected("one of `\"\\/bfnrtu` after a backslash")),
        };
        self.at += 1;
        Ok(simple)
    }

    /// The four digits after `\u`, and the other half where they are one half of a surrogate pair.
    fn code_point(&mut self, start: usize) -> Result<char, SyntaxError> {
        let first = self.hex4()?;
        let code = if (0xd800..0xdc00).contains(&first) && self.text[self.at..].starts_with("\\u") {
            self.at += 2;
            let second = self.hex4()?;
            // An invalid second half gives a number that is not a character.
            if (0xdc00..0xe000).contains(&second) {
                0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00)
            } else {
                first
            }
        } else {
            first
        };
        char::from_u32(code)
            .ok_or_else(|| SyntaxError::new(Span::new(start, self.at), "this escape is half a surrogate pair"))
    }

    fn hex4(&mut self) -> Result<u32, SyntaxError> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|b| char::from(b).to_digit(16));
            code = code * 16 + digit.ok_or_else(|| self.unexpected("a hex digit"))?;
            self.at += 1;
        }
        Ok(code)
    }
}

fn refuse_twins(entries: &[(Node, Node)]) -> Result<(), SyntaxError> {
    let mut seen = HashSet::with_capacity(entries.len());
    for (key, _) in entries {
        if let Value::Text(name) = &key.value
            && !seen.insert(name.as_str())
        {
            return Err(SyntaxError::new(key.span, format!("the key `{}` is in the object twice", shortened(name))));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn to_serde(node: &Node) -> serde_json::Value {
        match &node.value {
            Value::Plain(text) => serde_json::from_str(text).unwrap(),
            Value::Text(text) => text.as_str().into(),
            Value::List(elements) => elements.iter().map(to_serde).collect(),
            Value::Alias(_) => panic!("JSON has no aliases"),
            Value::Map(entries) => entries
                .iter()
                .map(|(key, value)| match &key.value {
                    Value::Text(key) => (key.clone(), to_serde(value)),
                    other => panic!("{other:?} is no key"),
                })
                .collect(),
        }
    }

    fn check_spans(node: &Node, text: &str) {
        let written = &text[node.span.range()];
        let again = parse_json(written, Limits::document()).unwrap();
        assert_eq!(to_serde(&again), to_serde(node));
        match &node.value {
            Value::Plain(plain) => assert_eq!(plain, written),
            Value::Text(_) | Value::Alias(_) => {}
            Value::List(elements) => elements.iter().for_each(|element| check_spans(element, text)),
            Value::Map(entries) => entries.iter().for_each(|(key, value)| {
                check_spans(key, text);
                check_spans(value, text);
            }),
        }
    }

    #[test]
    fn values_are_those_of_another_parser_and_spans_hold_them() {
        for text in [
            "null",
            " [ ] ",
            "{}",
            "\r\n{\"a\" : [1, -0.5e+10, true , {\"é\":\"\\u00e9\\n\\ud83d\\ude00/\\/\"}]}\t",
            "\u{feff}{\"a\": \"\u{1f600}\"}",
            "0",
            "12345678901234567890123456789012345678901234567890.1",
        ] {
            let node = parse_json(text, Limits::document()).unwrap();
            let expected: serde_json::Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap();
            assert_eq!(to_serde(&node), expected, "{text}");
            check_spans(&node, text);
        }
    }

    #[test]
    fn what_is_not_json_is_refused_where_it_is() {
        let table = [
            ("", "0..0 the text ends, expected a value"),
            ("{\"a\":1,}", "7..8 expected a key in double quotes, found `}`"),
            ("[1,]", "3..4 expected a value, found `]`"),
            ("[1 2]", "3..4 expected `,` or `]`, found `2`"),
            ("{\"a\" 1}", "5..6 expected `:`, found `1`"),
            ("{a: 1}", "1..2 expected a key in double quotes, found `a`"),
            ("01", "0..2 a number must not have a leading zero"),
            ("-", "1..1 the text ends, expected a digit"),
            ("1.", "2..2 the text ends, expected a digit"),
            ("1e", "2..2 the text ends, expected a digit"),
            ("+1", "0..1 expected a value, found `+`"),
            ("truE", "0..4 expected a value, found `truE`"),
            ("NaN", "0..1 expected a value, found `N`"),
            ("\"a", "0..1 this string has no closing quote"),
            ("\"a\nb\"", "2..3 expected an escape for this control character, found `\\n`"),
            ("\"\\x\"", "2..3 expected one of `\"\\/bfnrtu` after a backslash, found `x`"),
            ("\"\\u12g4\"", "5..6 expected a hex digit, found `g`"),
            ("\"\\ud800\"", "1..7 this escape is half a surrogate pair"),
            ("\"\\ud800\\u0041\"", "1..13 this escape is half a surrogate pair"),
            ("{} {}", "3..4 expected the end of the text, found `{`"),
            ("{\"a\":1,\"\\u0061\":2}", "7..15 the key `a` is in the object twice"),
            ("// c\n1", "0..1 expected a value, found `/`"),
        ];
        for (text, expected) in table {
            let error = parse_json(text, Limits::document()).unwrap_err();
            assert_eq!(format!("{}..{} {error}", error.span.start, error.span.end), expected, "{text}");
        }
    }

    #[test]
    fn depth_is_limited() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(parse_json(&nested(64), Limits::document()).is_ok());
        assert!(parse_json(&nested(65), Limits::document()).is_err());
        assert!(parse_json(&"[".repeat(1_000_000), Limits::document()).is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_and_serde_agrees(text in "[\\[\\]{}:, \"0-9a-z.eE+\\\\u\u{e9}-]{0,24}") {
            let ours = parse_json(&text, Limits::document());
            let theirs = serde_json::from_str::<serde_json::Value>(&text);
            if let Ok(node) = &ours {
                check_spans(node, &text);
            }
            // The only texts that only they take have keys twice, or a number that is beyond them.
            if ours.is_err() && theirs.is_ok() {
                prop_assert!(ours.unwrap_err().message.contains("twice"));
            }
        }
    }
}
