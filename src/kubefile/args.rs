//! ARG: names with values, and their replacement in the text of a RUN.

use std::collections::{BTreeMap, BTreeSet};

/// Why a text is not an argument.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ArgError {
    /// The part before `=` is not a valid name.
    #[error("`{0}` is not the name of an argument")]
    Name(String),
    /// There is no `=`.
    #[error("`{0}` gives the argument no value")]
    Value(String),
}

/// Reads what `ARG` takes: `NAME=VALUE[,NAME=VALUE]`. A name without `=` has the empty value, until `--build-arg` gives
/// another.
pub(crate) fn parse_args(text: &str) -> Result<Vec<(String, String)>, ArgError> {
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let name = name.trim();
        if !is_name(name) {
            return Err(ArgError::Name(name.to_owned()));
        }
        Ok((name.to_owned(), value.trim().to_owned()))
    };
    text.split(',').map(pair).collect()
}

/// Reads what `--build-arg` takes: `NAME=VALUE[,NAME=VALUE]`. A comma that no `NAME=` follows belongs to the value.
pub(crate) fn parse_build_args(text: &str) -> Result<Vec<(String, String)>, ArgError> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for piece in text.split(',') {
        match (piece.split_once('='), pairs.last_mut()) {
            (Some((name, value)), _) if is_name(name.trim()) => {
                pairs.push((name.trim().to_owned(), value.to_owned()));
            }
            (_, Some((_, value))) => {
                value.push(',');
                value.push_str(piece);
            }
            (Some((name, _)), None) => return Err(ArgError::Name(name.to_owned())),
            (None, None) => return Err(ArgError::Value(piece.to_owned())),
        }
    }
    Ok(pairs)
}

/// The text of a RUN with its arguments replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Replaced {
    /// The text that the shell gets.
    pub text: String,
    /// Names that are not arguments and were replaced by nothing.
    pub unknown: BTreeSet<String>,
}

/// Replaces `$NAME`, `${NAME}`, `${NAME:-WORD}` and `${NAME:+WORD}`; a name that is not an argument by nothing, as
/// sealer does.
///
/// As in sealer, and in a shell, nothing is replaced in single quotes or after a backslash. Quotes and backslashes
/// stay, and so does every other use of `$` (`$1`, `$?`, `$(…)`): these belong to the shell.
#[must_use]
pub(crate) fn replace_args(text: &str, args: &BTreeMap<String, String>) -> Replaced {
    let mut replacing = Replacing { args, unknown: BTreeSet::new() };
    let text = replacing.replace(text);
    Replaced { text, unknown: replacing.unknown }
}

struct Replacing<'a> {
    args: &'a BTreeMap<String, String>,
    unknown: BTreeSet<String>,
}

impl Replacing<'_> {
    fn replace(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let (mut single, mut double) = (false, false);
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            let mut length = next.len_utf8();
            match next {
                '\'' if !double => single = !single,
                '"' if !single => double = !double,
                '\\' if !single => length += rest[1..].chars().next().map_or(0, char::len_utf8),
                '$' if !single => {
                    if let Some((value, used)) = self.dollar(rest) {
                        out.push_str(&value);
                        rest = &rest[used..];
                        continue;
                    }
                }
                _ => {}
            }
            out.push_str(&rest[..length]);
            rest = &rest[length..];
        }
        out
    }

    /// The replacement for the start of `text`, which is a `$`, and how many bytes it replaces.
    fn dollar(&mut self, text: &str) -> Option<(String, usize)> {
        let rest = &text[1..];
        let Some(inner) = rest.strip_prefix('{') else {
            let name = name_at(rest)?;
            return Some((self.value(name), 1 + name.len()));
        };
        let name = name_at(inner)?;
        let after = &inner[name.len()..];
        let before = 2 + name.len();
        if after.starts_with('}') {
            return Some((self.value(name), before + 1));
        }
        let known = self.args.get(name).filter(|value| !value.is_empty()).cloned();
        let word = after.get(2..)?;
        let end = closing(word)?;
        let used = before + 2 + end + 1;
        match &after[..2] {
            ":-" => Some((known.unwrap_or_else(|| self.replace(&word[..end])), used)),
            ":+" => Some((known.map_or(String::new(), |_| self.replace(&word[..end])), used)),
            _ => None,
        }
    }

    fn value(&mut self, name: &str) -> String {
        self.args.get(name).cloned().unwrap_or_else(|| {
            self.unknown.insert(name.to_owned());
            String::new()
        })
    }
}

/// The byte of the `}` that ends a word; those of `${…}` in it do not.
fn closing(word: &str) -> Option<usize> {
    let mut open = 0_usize;
    for (at, byte) in word.bytes().enumerate() {
        match byte {
            b'{' => open += 1,
            b'}' if open == 0 => return Some(at),
            b'}' => open -= 1,
            _ => {}
        }
    }
    None
}

fn is_name(text: &str) -> bool {
    name_at(text).is_some_and(|name| name.len() == text.len())
}

/// The name that `text` begins with.
fn name_at(text: &str) -> Option<&str> {
    let length = text.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
    let name = &text[..length];
    name.starts_with(|first: char| !first.is_ascii_digit()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_replaced_and_the_rest_is_the_shell_s() {
        let args = [("A", "1"), ("LONG_2", "two words"), ("E", ""), ("Q", "$A '"), ("_", "u")];
        let args: BTreeMap<String, String> = args.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        for (text, expected, unknown) in [
            ("echo $A ${A} $A$A x$A.y ${A}b", "echo 1 1 11 x1.y 1b", ""),
            ("$LONG_2-$LONG_2x", "two words-", "LONG_2x"),
            ("$HOME/bin ${NOPE}", "/bin ", "HOME NOPE"),
            (r#"a "q $A" 'single $A' \$A \\$A "it's $A""#, r#"a "q 1" 'single $A' \$A \\1 "it's 1""#, ""),
            (
                "awk '{print $1}' $1 $? $$ $(pwd) $((1+1)) $@ $# $",
                "awk '{print $1}' $1 $? $$ $(pwd) $((1+1)) $@ $# $",
                "",
            ),
            ("${A:-x} ${B:-x$A} ${E:-e} ${B:-${C:-c}} ${A:+y} ${B:+y} ${E:+y}", "1 x1 e c y  ", ""),
            ("${A#1} ${#A} ${A ${A:-x ${} ${A:", "${A#1} ${#A} ${A ${A:-x ${} ${A:", ""),
            ("$Q $_", "$A ' u", ""),
            ("ä$Aö \\ä\\", "ä1ö \\ä\\", ""),
            ("${A:-ä} ${Aä}", "1 ${Aä}", ""),
        ] {
            let replaced = replace_args(text, &args);
            let names: Vec<_> = replaced.unknown.into_iter().collect();
            assert_eq!((replaced.text.as_str(), names.join(" ").as_str()), (expected, unknown), "{text}");
        }
    }

    #[test]
    fn several_build_args_stand_in_one_word_and_commas_in_values_are_kept() {
        let pairs = |text| {
            let joined = |pairs: Vec<(String, String)>| {
                pairs.iter().map(|(name, value)| format!("{name}<{value}>")).collect::<Vec<_>>().join(" ")
            };
            parse_build_args(text).map(joined).map_err(|error| error.to_string())
        };
        for (text, expected) in [
            ("A=1", "A<1>"),
            ("A=1,B=2", "A<1> B<2>"),
            ("A=1,2,B=x=y,", "A<1,2> B<x=y,>"),
            ("A=", "A<>"),
            ("A= 1 ", "A< 1 >"),
            ("U=http://h/?a=1,b-c=2", "U<http://h/?a=1,b-c=2>"),
        ] {
            assert_eq!(pairs(text).as_deref(), Ok(expected));
        }
        assert_eq!(pairs("A").unwrap_err(), "`A` gives the argument no value");
        assert_eq!(pairs("1=2").unwrap_err(), "`1` is not the name of an argument");
        assert_eq!(pairs("=2").unwrap_err(), "`` is not the name of an argument");
    }

    proptest::proptest! {
        #[test]
        fn a_text_without_dollars_stays(text in "[^$]*") {
            assert_eq!(replace_args(&text, &BTreeMap::new()).text, text);
        }

        #[test]
        fn any_text_is_taken(text in "([${}:+'\"\\\\A-]|\\PC)*") {
            let replaced = replace_args(&text, &BTreeMap::from([("A".to_owned(), "1".to_owned())])).text;
            proptest::prop_assert_eq!(replaced.matches('\'').count(), text.matches('\'').count());
        }
    }
}
