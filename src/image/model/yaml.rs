//! YAML as go-yaml v2 prints it: block style, two blanks, keys sorted its way, folded after column 80.

use std::cmp::Ordering;

use serde_json::{Map, Value};

use super::scalar::{Style, is_break, is_printable, style};

const WIDTH: usize = 80;
/// The longest key, in bytes, that is written without `?`.
const SIMPLE_KEY: usize = 128;

/// `value` as a document, final newline included. Keys are sorted; numbers are written as JSON has them.
#[must_use]
pub(crate) fn to_go_yaml(value: &Value) -> String {
    let mut emitter = Emitter { out: String::new(), column: 0, fresh: true, only_indicators: true };
    emitter.node(value, None, false);
    emitter.new_line(0);
    emitter.out
}

struct Emitter {
    out: String,
    /// In characters.
    column: usize,
    /// Nothing needs a blank before it here.
    fresh: bool,
    /// The line holds only indentation and `-`, `?` or `:` so far.
    only_indicators: bool,
}

impl Emitter {
    fn put(&mut self, c: char) {
        self.out.push(c);
        self.column += 1;
    }

    fn line_break(&mut self, c: char) {
        self.out.push(c);
        self.column = 0;
        self.only_indicators = true;
    }

    /// Goes to `indent`, on a new line unless this one is still empty there.
    fn new_line(&mut self, indent: usize) {
        if !self.only_indicators || self.column > indent || (self.column == indent && !self.fresh) {
            self.line_break('\n');
        }
        while self.column < indent {
            self.put(' ');
        }
        self.fresh = true;
        self.only_indicators = true;
    }

    fn indicator(&mut self, text: &str, blank_before: bool, blank_after: bool, keeps_line: bool) {
        if blank_before && !self.fresh {
            self.put(' ');
        }
        text.chars().for_each(|c| self.put(c));
        self.fresh = blank_after;
        self.only_indicators &= keeps_line;
    }

    /// A value in a collection at `indent`, or `None` at the top; a list behind a simple key is at the key's own
    /// indentation.
    fn node(&mut self, value: &Value, indent: Option<usize>, after_key: bool) {
        let below = indent.map_or(0, |indent| indent + 2);
        let scalar_indent = indent.map_or(2, |indent| indent + 2);
        match value {
            Value::Null => self.indicator("null", true, false, false),
            Value::Bool(value) => self.indicator(&value.to_string(), true, false, false),
            Value::Number(value) => self.indicator(&value.to_string(), true, false, false),
            Value::String(text) => self.scalar(text, scalar_indent, false),
            Value::Array(list) if list.is_empty() => self.indicator("[]", true, false, false),
            Value::Array(list) => {
                let indent = if after_key { indent.unwrap_or(0) } else { below };
                for item in list {
                    self.new_line(indent);
                    self.indicator("-", true, false, true);
                    self.node(item, Some(indent), false);
                }
            }
            Value::Object(map) if map.is_empty() => self.indicator("{}", true, false, false),
            Value::Object(map) => self.map(map, below),
        }
    }

    fn map(&mut self, map: &Map<String, Value>, indent: usize) {
        for key in sorted(map) {
            self.new_line(indent);
            let simple = key.len() <= SIMPLE_KEY && !key.contains(is_break);
            if simple {
                self.scalar(key, indent + 2, true);
                self.indicator(":", false, false, false);
            } else {
                self.indicator("?", true, false, true);
                self.scalar(key, indent + 2, false);
                self.new_line(indent);
                self.indicator(":", true, false, true);
            }
            self.node(&map[key], Some(indent), simple);
        }
    }

    fn scalar(&mut self, text: &str, indent: usize, simple_key: bool) {
        match style(text, simple_key) {
            Style::Plain => {
                if !self.fresh {
                    self.put(' ');
                }
                self.folding(text, indent, simple_key, false);
                self.fresh = false;
                self.only_indicators = false;
            }
            Style::Single => {
                self.indicator("'", true, false, false);
                self.folding(text, indent, simple_key, true);
                self.indicator("'", false, false, false);
            }
            Style::Double => self.double(text, indent, simple_key),
            Style::Literal => self.literal(text, indent),
        }
    }

    /// Plain and single-quoted text: one blank after column 80 becomes a line break.
    fn folding(&mut self, text: &str, indent: usize, simple_key: bool, quoted: bool) {
        let (mut after_space, mut after_break) = (false, false);
        let mut rest = text.chars().peekable();
        let mut first = true;
        while let Some(c) = rest.next() {
            let edge = first || rest.peek().is_none();
            if c == ' ' {
                let folds = !simple_key && !after_space && self.column > WIDTH && rest.peek() != Some(&' ');
                if folds && !(quoted && edge) {
                    self.new_line(indent);
                } else {
                    self.put(c);
                }
                after_space = true;
            } else if is_break(c) {
                if !after_break && c == '\n' {
                    self.line_break('\n');
                }
                self.line_break(c);
                after_break = true;
            } else {
                if after_break {
                    self.new_line(indent);
                }
                if quoted && c == '\'' {
                    self.put(c);
                }
                self.put(c);
                self.only_indicators = false;
                (after_space, after_break) = (false, false);
            }
            first = false;
        }
    }

    fn double(&mut self, text: &str, indent: usize, simple_key: bool) {
        self.indicator("\"", true, false, false);
        // With a byte order mark in front go-yaml takes every character for one.
        let all = text.starts_with('\u{feff}');
        let mut after_space = false;
        let mut rest = text.chars().peekable();
        let mut first = true;
        while let Some(c) = rest.next() {
            if all || !is_printable(c) || is_break(c) || matches!(c, '"' | '\\') {
                escape(c).chars().for_each(|c| self.put(c));
                after_space = false;
            } else if c == ' ' {
                let edge = first || rest.peek().is_none();
                if !simple_key && !after_space && self.column > WIDTH && !edge {
                    self.new_line(indent);
                    if rest.peek() == Some(&' ') {
                        self.put('\\');
                    }
                } else {
                    self.put(c);
                }
                after_space = true;
            } else {
                self.put(c);
                after_space = false;
            }
            first = false;
        }
        self.indicator("\"", false, false, false);
    }

    fn literal(&mut self, text: &str, indent: usize) {
        let hint = if text.starts_with(|c| c == ' ' || is_break(c)) { "2" } else { "" };
        let mut back = text.chars().rev();
        let chomp = match (back.next().is_some_and(is_break), back.next().map(is_break)) {
            (false, _) => "-",
            (true, None | Some(true)) => "+",
            (true, Some(false)) => "",
        };
        self.indicator(&format!("|{hint}{chomp}"), true, false, false);
        self.line_break('\n');
        self.fresh = true;
        let mut after_break = true;
        for c in text.chars() {
            if is_break(c) {
                self.line_break(c);
                after_break = true;
            } else {
                if after_break {
                    self.new_line(indent);
                }
                self.put(c);
                self.only_indicators = false;
                after_break = false;
            }
        }
    }
}

fn escape(c: char) -> String {
    let letter = match c {
        '\0' => '0',
        '\u{7}' => 'a',
        '\u{8}' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\u{b}' => 'v',
        '\u{c}' => 'f',
        '\r' => 'r',
        '\u{1b}' => 'e',
        '"' | '\\' => c,
        '\u{85}' => 'N',
        '\u{a0}' => '_',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        _ => {
            let code = u32::from(c);
            return match code {
                0..=0xff => format!("\\x{code:02X}"),
                0x100..=0xffff => format!("\\u{code:04X}"),
                _ => format!("\\U{code:08X}"),
            };
        }
    };
    format!("\\{letter}")
}

/// The keys in go-yaml's order, which is not consistent for keys like `2b`, `4` and `20` (each comes before the next,
/// and the last before the first). So they are inserted one by one: a sort of the library may panic on such an order.
fn sorted(map: &Map<String, Value>) -> Vec<&String> {
    let mut keys: Vec<&String> = map.keys().collect();
    keys.sort_unstable();
    for end in 1..keys.len() {
        let mut at = end;
        while at > 0 && order(keys[at], keys[at - 1]) == Ordering::Less {
            keys.swap(at, at - 1);
            at -= 1;
        }
    }
    keys
}

/// go-yaml's order of keys: runs of digits by their number, letters after everything else.
fn order(a: &str, b: &str) -> Ordering {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let Some(at) = a.iter().zip(&b).position(|(a, b)| a != b) else { return a.len().cmp(&b.len()) };
    let (left, right) = (a[at], b[at]);
    match (left.is_alphabetic(), right.is_alphabetic()) {
        (true, true) => return left.cmp(&right),
        (false, true) => return Ordering::Less,
        (true, false) => return Ordering::Greater,
        (false, false) => {}
    }
    // A zero within a number is not a leading zero.
    let within = (left == '0' || right == '0')
        && a[..at].iter().rev().take_while(|c| c.is_ascii_digit()).any(|digit| *digit != '0');
    let number = |text: &[char]| {
        let digits = text[at..].iter().map_while(|c| c.to_digit(10));
        let (value, count) = digits.fold((u64::from(within), 0_usize), |(value, count), digit| {
            (value.wrapping_mul(10).wrapping_add(u64::from(digit)), count + 1)
        });
        // Go's numbers are signed and wrap.
        (value.cast_signed(), count)
    };
    number(&a).cmp(&number(&b)).then(left.cmp(&right))
}
