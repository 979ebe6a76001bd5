//! The commands of a shell script with the words that they get, as far as possible without running anything.
//!
//! Variables have the value that was last assigned above, or else the last one below (functions are above what they
//! use), `${1-5000}` its default. What a command prints, arithmetic, loops and arguments without a default are unknown.
//! Syntax: POSIX.1-2017, Shell Command Language; of bash what real scripts need (`[[`, `((`, `&>`, `<<<`).

use std::collections::BTreeMap;

/// A simple command, wherever it is in the script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Command {
    /// The line of its first word, from 1.
    pub(super) line: usize,
    pub(super) words: Vec<Word>,
}

/// A word after expansion.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Word {
    /// Its text; what is unknown is there as it is written, `$NAME`.
    pub(super) text: String,
    /// Whether a part of it is unknown. It may also be several words then, or none.
    pub(super) is_unknown: bool,
}

/// The commands in the order of the text. There are no errors: an invalid script gives the commands that could be
/// parsed.
pub(super) fn commands(script: &str) -> Vec<Command> {
    let mut reader = Reader {
        chars: script.chars().collect(),
        at: 0,
        line: 1,
        commands: Vec::new(),
        here: Vec::new(),
        is_in_backticks: false,
    };
    reader.list(None);
    reader.commands.sort_by_key(|command| command.start);
    let mut last = Variables::default();
    for command in &reader.commands {
        assign(command, &mut last, None);
    }
    let mut variables = Variables::default();
    let expanded = reader.commands.iter().map(|command| {
        let words = command.words.iter().flat_map(|word| expand(word, &variables, Some(&last))).collect();
        assign(command, &mut variables, Some(&last));
        Command { line: command.line, words }
    });
    expanded.filter(|command| !command.words.is_empty()).collect()
}

/// A part of a word before expansion.
#[derive(Debug, Clone)]
enum Part {
    Text {
        text: String,
        is_quoted: bool,
    },
    Variable {
        name: String,
        default: Option<Vec<Part>>,
        is_quoted: bool,
    },
    /// What stands for it, without white space.
    Unknown(&'static str),
}

type Variables = BTreeMap<String, Word>;

struct RawCommand {
    start: usize,
    line: usize,
    words: Vec<Vec<Part>>,
}

struct Reader {
    chars: Vec<char>,
    at: usize,
    line: usize,
    commands: Vec<RawCommand>,
    /// The ends of the here-documents that begin on the next line, and whether tabs may be before them.
    here: Vec<(String, bool)>,
    is_in_backticks: bool,
}

impl Reader {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek(0)?;
        self.at += 1;
        self.line += usize::from(next == '\n');
        Some(next)
    }

    fn take(&mut self, words: &str) -> bool {
        let is_there = words.chars().enumerate().all(|(ahead, c)| self.peek(ahead) == Some(c));
        for _ in words.chars().filter(|_| is_there) {
            self.next();
        }
        is_there
    }

    /// Reads commands up to the end of the text, or to the `)` or backtick that ends a command substitution.
    fn list(&mut self, end: Option<char>) {
        let mut command = RawCommand { start: self.at, line: self.line, words: Vec::new() };
        let mut depth = 0_usize;
        while let Some(c) = self.peek(0) {
            if end == Some(c) && (depth == 0 || c == '`') {
                self.next();
                break;
            }
            match c {
                ' ' | '\t' | '\r' => self.at += 1,
                '\\' if self.peek(1) == Some('\n') => (self.at, self.line) = (self.at + 2, self.line + 1),
                '#' => self.skip_line(),
                '\n' | ';' | '|' | '&' | '(' | ')' => {
                    if c == '&' && self.peek(1) == Some('>') {
                        self.next();
                        continue;
                    }
                    self.next();
                    depth = if c == '(' { depth + 1 } else { depth.saturating_sub(usize::from(c == ')')) };
                    self.end(&mut command);
                    if c == '\n' {
                        self.skip_here_documents();
                    }
                }
                '<' | '>' => self.redirection(),
                _ => {
                    if command.words.is_empty() {
                        (command.start, command.line) = (self.at, self.line);
                    }
                    let (start, word) = (self.at, self.word());
                    if self.at == start {
                        // A backtick that ends an outer substitution, in an inner one that never ended.
                        break;
                    }
                    // `2>` is a redirection, not a word.
                    let is_number = matches!(&word[..], [Part::Text { text, is_quoted: false }] if text.bytes().all(|b| b.is_ascii_digit()));
                    if !(is_number && matches!(self.peek(0), Some('<' | '>'))) {
                        command.words.push(word);
                    }
                }
            }
        }
        self.end(&mut command);
    }

    fn end(&mut self, command: &mut RawCommand) {
        let words = std::mem::take(&mut command.words);
        if !words.is_empty() {
            self.commands.push(RawCommand { words, ..*command });
        }
    }

    fn skip_line(&mut self) {
        while self.peek(0).is_some_and(|c| c != '\n') {
            self.next();
        }
    }

    fn redirection(&mut self) {
        let is_here = self.take("<<") && !self.take("<");
        let tabs = is_here && self.take("-");
        while self.peek(0).is_some_and(|c| matches!(c, '<' | '>' | '&' | '|')) {
            self.next();
        }
        while self.peek(0).is_some_and(|c| matches!(c, ' ' | '\t')) {
            self.next();
        }
        let target = self.word();
        if is_here {
            self.here
                .push((expand(&target, &Variables::new(), None).into_iter().map(|word| word.text).collect(), tabs));
        }
    }

    fn skip_here_documents(&mut self) {
        for (end, tabs) in std::mem::take(&mut self.here) {
            while self.peek(0).is_some() {
                let start = self.at;
                self.skip_line();
                let line: String = self.chars[start..self.at].iter().collect();
                self.next();
                let line = line.trim_end_matches('\r');
                if (if tabs { line.trim_start_matches('\t') } else { line }) == end {
                    break;
                }
            }
        }
    }

    fn word(&mut self) -> Vec<Part> {
        let mut parts = Vec::new();
        while let Some(c) = self.peek(0) {
            match c {
                ' ' | '\t' | '\r' | '\n' | ';' | '|' | '&' | '(' | ')' | '<' | '>' => break,
                '`' if self.is_in_backticks => break,
                '\'' => {
                    self.next();
                    let start = self.at;
                    while self.peek(0).is_some_and(|c| c != '\'') {
                        self.next();
                    }
                    let text = self.chars[start..self.at].iter().collect();
                    self.next();
                    parts.push(Part::Text { text, is_quoted: true });
                }
                '"' => {
                    self.next();
                    self.quoted(&mut parts, '"');
                }
                _ => self.part(&mut parts, false),
            }
        }
        parts
    }

    /// Reads up to the closing quote, or to the `}` of a default.
    fn quoted(&mut self, parts: &mut Vec<Part>, end: char) {
        // An empty pair of quotes is a word, too.
        parts.push(Part::Text { text: String::new(), is_quoted: end == '"' });
        while let Some(c) = self.peek(0) {
            if c == end {
                self.next();
                return;
            }
            if c == '"' {
                self.next();
                self.quoted(parts, '"');
                continue;
            }
            self.part(parts, end == '"');
        }
    }

    /// One expansion, one escaped character or one plain character.
    fn part(&mut self, parts: &mut Vec<Part>, is_quoted: bool) {
        match self.next() {
            Some('\\') => match self.next() {
                Some('\n') | None => {}
                Some(c) if is_quoted && !matches!(c, '"' | '\\' | '$' | '`') => text(parts, &format!("\\{c}"), true),
                Some(c) => text(parts, &c.to_string(), true),
            },
            Some('`') => {
                let outer = std::mem::replace(&mut self.is_in_backticks, true);
                self.list(Some('`'));
                self.is_in_backticks = outer;
                parts.push(Part::Unknown("`…`"));
            }
            Some('$') => {
                let part = self.expansion(is_quoted);
                parts.push(part);
            }
            Some(c) => text(parts, &c.to_string(), is_quoted),
            None => {}
        }
    }

    /// Reads the part after a `$`.
    fn expansion(&mut self, is_quoted: bool) -> Part {
        if self.take("((") {
            while self.peek(0).is_some() && !self.take("))") {
                self.next();
            }
            return Part::Unknown("$((…))");
        }
        if self.take("(") {
            self.list(Some(')'));
            return Part::Unknown("$(…)");
        }
        let braced = self.take("{");
        let mut name = String::new();
        while let Some(c) = self.peek(0).filter(|c| c.is_ascii_alphanumeric() || *c == '_') {
            // `$10` is `$1` and a zero.
            if !braced && name.starts_with(|c: char| c.is_ascii_digit()) {
                break;
            }
            name.push(c);
            self.next();
        }
        if !braced {
            if name.is_empty() {
                // `$@`, `$?` and their like; any other `$` is a plain one.
                let special = ["$@", "$*", "$#", "$?", "$-", "$$", "$!"].into_iter().find(|name| self.take(&name[1..]));
                return special.map_or(Part::Text { text: "$".to_owned(), is_quoted }, Part::Unknown);
            }
            return Part::Variable { name, default: None, is_quoted };
        }
        if !name.is_empty() && self.take("}") {
            return Part::Variable { name, default: None, is_quoted };
        }
        let has_default = !name.is_empty() && [":-", "-", ":=", "="].iter().any(|operator| self.take(operator));
        let mut default = Vec::new();
        self.quoted(&mut default, '}');
        if has_default {
            return Part::Variable { name, default: Some(default), is_quoted };
        }
        Part::Unknown("${…}")
    }
}

/// Adds text to the last part if it is of the same kind.
fn text(parts: &mut Vec<Part>, more: &str, quoted: bool) {
    match parts.last_mut() {
        Some(Part::Text { text, is_quoted }) if *is_quoted == quoted => text.push_str(more),
        _ => parts.push(Part::Text { text: more.to_owned(), is_quoted: quoted }),
    }
}

/// Records the assignments of a command: `A=b`, `export A=b`, `for A in …`.
fn assign(command: &RawCommand, variables: &mut Variables, last: Option<&Variables>) {
    let plain = |word: &[Part]| match word.first() {
        Some(Part::Text { text, is_quoted: false }) => text.clone(),
        _ => String::new(),
    };
    let mut words = command.words.iter().map(|word| (plain(word), word));
    let first = plain(&command.words[0]);
    if first == "for" {
        if let Some((name, _)) = words.nth(1) {
            variables.insert(name.clone(), Word { text: format!("${name}"), is_unknown: true });
        }
        return;
    }
    let declares = ["export", "readonly", "local", "declare", "typeset"].contains(&first.as_str());
    for (text, word) in words.skip(usize::from(declares)) {
        let Some((name, value)) = text.split_once('=').filter(|(name, _)| is_name(name.trim_end_matches('+'))) else {
            if declares && text.starts_with('-') {
                continue;
            }
            break;
        };
        let mut parts = vec![Part::Text { text: value.to_owned(), is_quoted: true }];
        parts.extend(word[1..].iter().cloned());
        let mut value = joined(&parts, variables, last);
        if let Some(name) = name.strip_suffix('+') {
            let old = variables.get(name).cloned().unwrap_or_default();
            value = Word { text: old.text + &value.text, is_unknown: old.is_unknown || value.is_unknown };
        }
        variables.insert(name.trim_end_matches('+').to_owned(), value);
    }
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// The parts as one text, not split.
fn joined(parts: &[Part], variables: &Variables, last: Option<&Variables>) -> Word {
    let mut whole = Word::default();
    for part in parts {
        let word = match part {
            Part::Text { text, .. } => Word { text: text.clone(), is_unknown: false },
            Part::Unknown(text) => Word { text: (*text).to_owned(), is_unknown: true },
            Part::Variable { name, default, .. } => value(name, default.as_deref(), variables, last),
        };
        whole.text += &word.text;
        whole.is_unknown |= word.is_unknown;
    }
    whole
}

fn value(name: &str, default: Option<&[Part]>, variables: &Variables, last: Option<&Variables>) -> Word {
    if let Some(known) = variables.get(name).or_else(|| last?.get(name)) {
        return known.clone();
    }
    match default {
        Some(parts) => joined(parts, variables, last),
        None => Word { text: format!("${name}"), is_unknown: true },
    }
}

/// A word's parts as the words that a command gets: what is not in quotes is split at white space.
fn expand(parts: &[Part], variables: &Variables, last: Option<&Variables>) -> Vec<Word> {
    let mut words = Vec::new();
    let mut word: Option<Word> = None;
    for part in parts {
        let splits = matches!(part, Part::Variable { is_quoted: false, .. });
        let Word { text, is_unknown } = joined(std::slice::from_ref(part), variables, last);
        if !splits {
            let word = word.get_or_insert_default();
            word.text += &text;
            word.is_unknown |= is_unknown;
            continue;
        }
        if text.starts_with(char::is_whitespace) {
            words.extend(word.take());
        }
        let mut pieces = text.split_whitespace().peekable();
        while let Some(piece) = pieces.next() {
            let word_now = word.get_or_insert_default();
            word_now.text += piece;
            word_now.is_unknown |= is_unknown && piece.contains(['$', '`']);
            if pieces.peek().is_some() || text.ends_with(char::is_whitespace) {
                words.extend(word.take());
            }
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(script: &str) -> Vec<String> {
        let words = |command: &Command| {
            let words =
                command.words.iter().map(|word| format!("{}{}", if word.is_unknown { "?" } else { "" }, word.text));
            format!("{}: {}", command.line, words.collect::<Vec<_>>().join("|"))
        };
        commands(script).iter().map(words).collect()
    }

    #[test]
    fn words_are_what_a_shell_makes_of_them() {
        let rows: &[(&str, &[&str])] = &[
            ("a 'b c' \"d e\" f\\ g # h", &["1: a|b c|d e|f g"]),
            ("a \\\n  b\nc", &["1: a|b", "3: c"]),
            ("a && b || c; d & e | f", &["1: a", "1: b", "1: c", "1: d", "1: e", "1: f"]),
            ("if [ -f x ]; then a; fi", &["1: if|[|-f|x|]", "1: then|a", "1: fi"]),
            ("(a b) 2>&1 >/dev/null; c &>x d <y", &["1: a|b", "1: c|d"]),
            ("A=1 B='2 3'\nx $A \"$B\" $B", &["1: A=1|B=2 3", "2: x|1|2 3|2|3"]),
            ("A=x\nA=\"$A \\\n y\"\nrun $A z", &["1: A=x", "2: A=x  y", "4: run|x|y|z"]),
            ("run ${1-5000} ${V:-a b} ${N:=n} $1 \"$@\"", &["1: run|5000|a|b|n|?$1|?$@"]),
            ("f() {\n  run $A\n}\nA=late", &["1: f", "1: {", "2: run|late", "3: }", "4: A=late"]),
            (
                "A=$(b c)\nB=\"-v $A/d:/e f\"\nrun $B x",
                &["1: ?A=$(…)", "1: b|c", "2: ?B=-v $(…)/d:/e f", "3: run|-v|?$(…)/d:/e|f|x"],
            ),
            ("export A=1 B=2\nrun $A$B ${A}x", &["1: export|A=1|B=2", "2: run|12|1x"]),
            ("A=1\nA+=2\nrun $A", &["1: A=1", "2: A+=2", "3: run|12"]),
            ("for i in 1 2; do run $i; done", &["1: for|i|in|1|2", "1: do|run|?$i", "1: done"]),
            ("cat <<EOF > x\nrun a\nEOF\nb <<-'E F'\n\tc\n\tE F\nd", &["1: cat", "4: b", "7: d"]),
            ("x $((1 + 2)) ${A%b} `y z`", &["1: x|?$((…))|?${…}|?`…`", "1: y|z"]),
            ("a \"b\nc", &["1: a|b\nc"]),
            ("x ''", &["1: x|"]),
            ("x 5$ \"$\"", &["1: x|5$|$"]),
        ];
        for (script, expected) in rows {
            assert_eq!(read(script), *expected, "{script}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_much(script in "[a-z$(){}`'\"\\\\ \n<>&|;=#-]{0,60}") {
            commands(&script);
        }
    }
}
