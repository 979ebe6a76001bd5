//! Text → instructions.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::types::{BaseSource, ContextPathError, Diagnostic, Reportable as _, Source, Span, nearest};

use super::args::parse_args;
use super::copy::{ContextPattern, CopyDestination, CopySource};
use super::remote::RemoteFile;

/// A Kubefile, understood. In documents it is its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kubefile {
    text: String,
    /// The image of FROM.
    pub base: Base,
    /// The bytes of FROM's image in the text.
    pub base_span: Span,
    /// The instructions after FROM (and ARGs before it), in order, each with its bytes in the text.
    pub instructions: Vec<(Span, Instruction)>,
}

/// The base of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Base {
    /// Nothing: `FROM scratch`.
    Scratch,
    /// Another image: sealer's, or one of the Docker engine.
    Image(BaseSource),
}

/// One instruction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Instruction {
    /// Takes files of the context into a layer.
    Copy {
        /// Which files.
        source: CopySource,
        /// Where they go.
        destination: CopyDestination,
        /// The two words as written: the layer's value.
        value: String,
    },
    /// Runs a command on the build machine; what it changes becomes a layer.
    Run {
        /// The command as written.
        value: String,
    },
    /// A command for the day the cluster starts.
    Cmd {
        /// The command as written.
        value: String,
    },
    /// Arguments with their defaults.
    Arg {
        /// Name and default, in order.
        pairs: Vec<(String, String)>,
    },
}

impl Instruction {
    /// Whether it may make a layer.
    #[must_use]
    pub(crate) fn makes_layer(&self) -> bool {
        match self {
            Self::Copy { .. } | Self::Run { .. } => true,
            Self::Cmd { .. } | Self::Arg { .. } => false,
        }
    }
}

impl Kubefile {
    /// The text that it was read from.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The ARGs with their defaults. As in sealer, they apply to the whole Kubefile, and the last one of each name is
    /// used.
    #[must_use]
    pub fn args(&self) -> BTreeMap<String, String> {
        let mut args = BTreeMap::new();
        for (_, instruction) in &self.instructions {
            match instruction {
                Instruction::Arg { pairs } => args.extend(pairs.iter().cloned()),
                Instruction::Copy { .. } | Instruction::Run { .. } | Instruction::Cmd { .. } => {}
            }
        }
        args
    }

    /// The RUNs, by their number among the instructions, with their bytes: their result depends on the build machine
    /// and on the time.
    pub fn runs(&self) -> impl Iterator<Item = (usize, Span)> {
        self.instructions.iter().enumerate().filter_map(|(index, (span, instruction))| match instruction {
            Instruction::Run { .. } => Some((index, *span)),
            Instruction::Copy { .. } | Instruction::Cmd { .. } | Instruction::Arg { .. } => None,
        })
    }
}

impl Serialize for Kubefile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.text.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Kubefile {
    /// A text that is not a Kubefile is an error that names the first mistake.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse(&text).map_err(|mistakes| {
            let first = mistakes.first();
            let line = first.map_or(1, |mistake| Source::new("Kubefile", &text).position(mistake.span.start).line);
            let message = first.map(|mistake| mistake.message.as_str()).unwrap_or_default();
            de::Error::custom(format!("line {line} of the Kubefile: {message}"))
        })
    }
}

const NAMES: [&str; 5] = ["FROM", "COPY", "RUN", "CMD", "ARG"];

/// Understands a Kubefile. All mistakes are reported, with spans in `text`.
pub(crate) fn parse(text: &str) -> Result<Kubefile, Vec<Diagnostic>> {
    let mut base: Option<(Span, Base)> = None;
    let mut instructions = Vec::new();
    let mut mistakes = Vec::new();
    for line in logical_lines(text) {
        let Some((name, name_span, value)) = line.split_name() else { continue };
        let result =
            match name.to_ascii_uppercase().as_str() {
                "FROM" if base.is_some() => Err(Diagnostic::error(name_span, "a second FROM")
                    .with_label("a Kubefile has one FROM, in its first line")),
                "FROM" if instructions.iter().any(|(_, i)| !matches!(i, Instruction::Arg { .. })) => {
                    Err(Diagnostic::error(name_span, "FROM comes after other instructions")
                        .with_label("FROM must come first; only ARG may come before it"))
                }
                "FROM" => parse_from(&value).map(|from| base = Some((value.span, from))),
                "COPY" => parse_copy(&value).map(|copy| instructions.push((line.span(), copy))),
                "RUN" => parse_run(&value).map(|run| instructions.push((line.span(), run))),
                "CMD" => value
                    .required("CMD", "a command")
                    .map(|value| instructions.push((line.span(), Instruction::Cmd { value }))),
                "ARG" => parse_arg(&value).map(|arg| instructions.push((line.span(), arg))),
                _ => {
                    let mistake = Diagnostic::error(name_span, format!("unknown instruction `{name}`"))
                        .with_label("expected FROM, COPY, RUN, CMD or ARG");
                    Err(match nearest(&name, NAMES) {
                        Some(near) => mistake.with_help(format!("did you mean `{near}`?")),
                        None => mistake,
                    })
                }
            };
        mistakes.extend(result.err());
    }
    match base {
        Some((base_span, base)) if mistakes.is_empty() => {
            Ok(Kubefile { text: text.to_owned(), base, base_span, instructions })
        }
        None if mistakes.is_empty() => {
            let end = text.find('\n').unwrap_or(text.len());
            Err(vec![
                Diagnostic::error(Span::new(0, end), "the Kubefile has no FROM")
                    .with_label("expected `FROM IMAGE` or `FROM scratch` as its first instruction"),
            ])
        }
        _ => Err(mistakes),
    }
}

fn parse_from(value: &Value) -> Result<Base, Diagnostic> {
    let words: Vec<&str> = value.text.split_whitespace().collect();
    match words[..] {
        ["scratch"] => Ok(Base::Scratch),
        [name] => name.parse().map(Base::Image).map_err(|error| {
            Diagnostic::error(value.span, error.to_string()).with_label("expected an image or `scratch`")
        }),
        _ => Err(Diagnostic::error(value.span, format!("FROM takes one image, found {} words", words.len()))
            .with_label("expected `FROM IMAGE` or `FROM scratch`")),
    }
}

fn parse_copy(value: &Value) -> Result<Instruction, Diagnostic> {
    let words: Vec<&str> = value.text.split_whitespace().collect();
    let [source, destination] = words[..] else {
        return Err(Diagnostic::error(value.span, format!("COPY takes two words, found {}", words.len()))
            .with_label("expected `COPY SOURCE DESTINATION`")
            .with_help("write one COPY for each source; quotes and the `[…]` form do not exist in a Kubefile"));
    };
    let at = |error: ContextPathError| Diagnostic::error(value.span, error.to_string());
    let destination = CopyDestination::parse(destination).map_err(at)?;
    if RemoteFile::is_url(source) {
        let remote = RemoteFile::parse(source).map_err(|error| {
            let mistake =
                Diagnostic::error(value.span, error.to_string()).with_label("expected an https URL of a file");
            Diagnostic { help: error.help().into_iter().collect(), ..mistake }
        })?;
        // The value becomes a part of the image, where passwords and tokens must not be.
        let value = format!("{remote} {}", words[1]);
        return Ok(Instruction::Copy { source: CopySource::Remote(remote), destination, value });
    }
    let source = CopySource::Context(ContextPattern::parse(source).map_err(at)?);
    Ok(Instruction::Copy { source, destination, value: value.text.trim().to_owned() })
}

fn parse_run(value: &Value) -> Result<Instruction, Diagnostic> {
    let command = value.required("RUN", "a command")?;
    // A shell would look for a program with that name.
    if serde_json::from_str::<Vec<String>>(&command).is_ok_and(|words| !words.is_empty()) {
        return Err(Diagnostic::error(value.span, "RUN takes a shell command, found a list")
            .with_label("expected `RUN COMMAND`")
            .with_help("write the command as in a shell; the `[…]` form does not exist in a Kubefile"));
    }
    Ok(Instruction::Run { value: command })
}

fn parse_arg(value: &Value) -> Result<Instruction, Diagnostic> {
    let text = value.required("ARG", "NAME=VALUE")?;
    let pairs = parse_args(&text).map_err(|error| {
        Diagnostic::error(value.span, error.to_string()).with_label("expected `ARG NAME=VALUE[,NAME=VALUE]`")
    })?;
    Ok(Instruction::Arg { pairs })
}

/// What is behind an instruction's name.
struct Value {
    text: String,
    span: Span,
}

impl Value {
    fn required(&self, name: &str, what: &str) -> Result<String, Diagnostic> {
        match self.text.trim() {
            "" => {
                Err(Diagnostic::error(self.span, format!("{name} without a value"))
                    .with_label(format!("expected {what}")))
            }
            text => Ok(text.to_owned()),
        }
    }
}

/// A line with those that continue it, joined.
struct LogicalLine {
    text: String,
    /// Byte of the source where the line's first non-blank character stands.
    start: usize,
    /// Byte after the line's last character.
    end: usize,
    /// Byte of the source after the first physical line, to mark what fits on one line.
    first_end: usize,
}

impl LogicalLine {
    fn span(&self) -> Span {
        Span::new(self.start, self.end)
    }

    fn split_name(&self) -> Option<(String, Span, Value)> {
        let text = self.text.trim_start();
        if text.is_empty() {
            return None;
        }
        let length = text.find(char::is_whitespace).unwrap_or(text.len());
        let (name, rest) = text.split_at(length);
        let name_span = Span::new(self.start, self.start + length);
        let blanks = rest.len() - rest.trim_start().len();
        let value_start = (self.start + length + blanks).min(self.first_end);
        let value_end = self.first_end.max(value_start);
        let span = if rest.trim().is_empty() { name_span } else { Span::new(value_start, value_end) };
        Some((name.to_owned(), name_span, Value { text: rest.trim().to_owned(), span }))
    }
}

/// Lines without comments and blank ones, continued ones joined: the next line's leading blanks stay, blank and comment
/// lines between are skipped, CRLF and a byte order mark are fine.
fn logical_lines(text: &str) -> Vec<LogicalLine> {
    let mut lines: Vec<LogicalLine> = Vec::new();
    let mut continues = false;
    let mut offset = 0;
    for physical in text.split_inclusive('\n') {
        let line_start = offset;
        offset += physical.len();
        let mut line = physical.trim_end_matches(['\n', '\r']);
        let mut start = line_start;
        if line_start == 0 && line.starts_with('\u{feff}') {
            line = &line['\u{feff}'.len_utf8()..];
            start = '\u{feff}'.len_utf8();
        }
        let trimmed = line.trim_start();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        let indent = line.len() - trimmed.len();
        let end = start + line.trim_end().len();
        let (content, more) = match line.trim_end().strip_suffix('\\') {
            Some(content) => (content, true),
            None => (line, false),
        };
        match lines.last_mut().filter(|_| continues) {
            Some(previous) => {
                previous.text.push_str(content);
                previous.end = end;
            }
            None => {
                lines.push(LogicalLine { text: content.to_owned(), start: start + indent, end, first_end: end });
            }
        }
        continues = more;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Source;

    fn shown(text: &str) -> String {
        match parse(text) {
            Ok(kubefile) => format!("{kubefile:?}"),
            Err(mistakes) => {
                let source = Source::new("Kubefile", text);
                mistakes.iter().map(|mistake| mistake.render(&source, false)).collect::<Vec<_>>().join("\n")
            }
        }
    }

    #[test]
    fn the_page_s_second_kubefile_is_understood() {
        let text = "FROM kubernetes:v1\nCOPY imageList manifests\nCOPY etc .\nCMD a -f b && c,d\n";
        let kubefile = parse(text).unwrap();
        assert_eq!(kubefile.base, Base::Image("kubernetes:v1".parse().unwrap()));
        let values: Vec<_> = kubefile
            .instructions
            .iter()
            .map(|(span, instruction)| (&text[span.range()], instruction))
            .map(|(text, instruction)| match instruction {
                Instruction::Copy { value, .. } | Instruction::Cmd { value } => (text, value.as_str()),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(
            values,
            [
                ("COPY imageList manifests", "imageList manifests"),
                ("COPY etc .", "etc ."),
                ("CMD a -f b && c,d", "a -f b && c,d"),
            ]
        );
    }

    #[test]
    fn comments_continuations_case_crlf_and_bom_are_fine() {
        let text =
            "\u{feff}# c\r\n  # c\r\narg A=1,B=\r\nfrom scratch\r\nRUN a \\\r\n# between\r\n\r\n  b # no comment\r\n";
        let kubefile = parse(text).unwrap();
        assert_eq!(kubefile.base, Base::Scratch);
        let instructions: Vec<_> = kubefile.instructions.into_iter().map(|(_, instruction)| instruction).collect();
        let pairs = vec![("A".to_owned(), "1".to_owned()), ("B".to_owned(), String::new())];
        assert_eq!(
            instructions,
            [Instruction::Arg { pairs }, Instruction::Run { value: "a   b # no comment".to_owned() }]
        );
    }

    #[test]
    fn mistakes_name_their_place() {
        insta::assert_snapshot!(shown(""), @"
        Kubefile:1:1: error: the Kubefile has no FROM
          |
        1 |
          | ^ expected `FROM IMAGE` or `FROM scratch` as its first instruction
        ");
        insta::assert_snapshot!(shown("COPY . .\nFROM scratch\n"), @"
        Kubefile:2:1: error: FROM comes after other instructions
          |
        2 | FROM scratch
          | ^^^^ FROM must come first; only ARG may come before it
        ");
        insta::assert_snapshot!(shown("FROM scratch\nFROM x\nCPY a b\nCOPY a\nCOPY a b c\nCOPY a ../b\nCMD\nARG 1=2\nRUN [\"a\", \"b\"]\n"), @r#"
        Kubefile:2:1: error: a second FROM
          |
        2 | FROM x
          | ^^^^ a Kubefile has one FROM, in its first line

        Kubefile:3:1: error: unknown instruction `CPY`
          |
        3 | CPY a b
          | ^^^ expected FROM, COPY, RUN, CMD or ARG
          |
          = help: did you mean `COPY`?

        Kubefile:4:6: error: COPY takes two words, found 1
          |
        4 | COPY a
          |      ^ expected `COPY SOURCE DESTINATION`
          |
          = help: write one COPY for each source; quotes and the `[…]` form do not exist in a Kubefile

        Kubefile:5:6: error: COPY takes two words, found 3
          |
        5 | COPY a b c
          |      ^^^^^ expected `COPY SOURCE DESTINATION`
          |
          = help: write one COPY for each source; quotes and the `[…]` form do not exist in a Kubefile

        Kubefile:6:6: error: `../b` leaves the context: `..` is not allowed in a path
          |
        6 | COPY a ../b
          |      ^^^^^^

        Kubefile:7:1: error: CMD without a value
          |
        7 | CMD
          | ^^^ expected a command

        Kubefile:8:5: error: `1` is not the name of an argument
          |
        8 | ARG 1=2
          |     ^^^ expected `ARG NAME=VALUE[,NAME=VALUE]`

        Kubefile:9:5: error: RUN takes a shell command, found a list
          |
        9 | RUN ["a", "b"]
          |     ^^^^^^^^^^ expected `RUN COMMAND`
          |
          = help: write the command as in a shell; the `[…]` form does not exist in a Kubefile
        "#);
        insta::assert_snapshot!(shown("FROM Kubernetes\n"), @"
        Kubefile:1:6: error: `Kubernetes` is not an image reference: a repository must be in lower case
          |
        1 | FROM Kubernetes
          |      ^^^^^^^^^^ expected an image or `scratch`
        ");
        insta::assert_snapshot!(shown("FROM scratch\nCOPY \\\n  a\n"), @r"
        Kubefile:2:7: error: COPY takes two words, found 1
          |
        2 | COPY \
          |       ^ expected `COPY SOURCE DESTINATION`
          |
          = help: write one COPY for each source; quotes and the `[…]` form do not exist in a Kubefile
        ");
    }
}
