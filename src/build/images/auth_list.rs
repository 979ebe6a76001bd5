//! `imageListWithAuth.yaml` at the top of the context: images that need a login.
//!
//! ```yaml
//! - registry: registry.example.com   # HOST[:PORT]; docker.io where it is left out
//!   username: me
//!   password: secret
//!   images:
//!     - registry.example.com/team/app:v1
//!     - team/tool:v2                 # of the section's registry, too
//! ```
//!
//! The login is only sent to the section's registry, so an image of another registry is an error. Messages show no text
//! of the file except references: in a malformed file, any text may be the password.

use std::io::Read;

use crate::disk::Dir;
use crate::syntax::{Limits, Node, Value, parse_yaml};
use crate::transport::{Login, Secret};
use crate::types::{Failure, FailureKind, ImageRef, Source, Span, nearest};

use super::super::{BuildFailure, Origin};
use super::wanted::Wanted;

/// The file's name. No COPY packs it.
pub(in crate::build) const AUTH_LIST: &str = "imageListWithAuth.yaml";

const FIELDS: [&str; 4] = ["registry", "username", "password", "images"];

/// The images of the context's list, each once and with its login, in the order of the file; empty if there is no list.
pub(in crate::build) fn private_images(context: &Dir) -> Result<Vec<Wanted>, Vec<BuildFailure>> {
    if context.meta_if_there(AUTH_LIST).map_err(BuildFailure::whole)?.is_none() {
        return Ok(Vec::new());
    }
    let mut bytes = Vec::new();
    let limit = Limits::recipe().bytes as u64 + 1;
    let file = context.open_file(AUTH_LIST).map_err(BuildFailure::whole)?;
    file.take(limit).read_to_end(&mut bytes).map_err(BuildFailure::whole)?;
    let Ok(text) = String::from_utf8(bytes) else {
        return Err(BuildFailure::whole(Failure::new(FailureKind::Invalid, format!("{AUTH_LIST} is not UTF-8"))).into());
    };
    read(&text).map_err(|failures| failures.into_iter().map(BuildFailure::whole).collect())
}

fn read(text: &str) -> Result<Vec<Wanted>, Vec<Failure>> {
    let mut list = List { source: Source::new(AUTH_LIST, text), wanted: Vec::new(), failures: Vec::new() };
    match parse_yaml(text, Limits::recipe()) {
        Ok(documents) => match documents.as_slice() {
            [] => {}
            [one] => list.sections(&one.root),
            [_, second, ..] => {
                list.wrong(Span::new(second.span.start, second.span.start), "a second document starts here");
            }
        },
        Err(error) => {
            let message = without_words(&error.message);
            list.wrong(error.span, &message);
        }
    }
    if list.failures.is_empty() { Ok(list.wanted) } else { Err(list.failures) }
}

struct List {
    source: Source,
    wanted: Vec<Wanted>,
    failures: Vec<Failure>,
}

impl List {
    fn wrong(&mut self, span: Span, message: &str) {
        self.wrong_but(span, message, None);
    }

    fn wrong_but(&mut self, span: Span, message: &str, help: Option<String>) {
        let failure = Failure::new(FailureKind::Invalid, format!("{}: {message}", self.source.place(span)));
        self.failures.push(help.into_iter().fold(failure, Failure::with_help));
    }

    fn sections(&mut self, root: &Node) {
        match &root.followed().value {
            Value::List(sections) => sections.iter().for_each(|section| self.section(section)),
            // Nothing but comments.
            Value::Plain(text) if text.is_empty() => {}
            Value::Plain(_) | Value::Text(_) | Value::Map(_) | Value::Alias(_) => {
                let form = "expected a list of maps with `registry`, `username`, `password` and `images`";
                self.wrong(root.span, form);
            }
        }
    }

    fn section(&mut self, section: &Node) {
        let Value::Map(entries) = &section.followed().value else {
            return self.wrong(section.span, "expected a map with `registry`, `username`, `password` and `images`");
        };
        for (key, _) in entries {
            let name = key.scalar().unwrap_or_default();
            if !FIELDS.contains(&name) {
                let help = nearest(name, FIELDS).map(|near| format!("did you mean `{near}`?"));
                let message = "unknown field, expected `registry`, `username`, `password` or `images`";
                self.wrong_but(key.span, message, help);
            }
        }
        let registry = match section.get("registry").filter(|node| !is_nothing(node)) {
            None => Some("docker.io".to_owned()),
            Some(node) => self.registry(node),
        };
        let username = self.text(section, "username");
        let password = self.text(section, "password");
        let images = self.images(section);
        let (Some(registry), Some(username), Some(password)) = (registry, username, password) else { return };
        let login = Login { username, password: Secret::new(password) };
        for node in images {
            self.image(node, &registry, &login);
        }
    }

    /// The registry's name as in references.
    fn registry(&mut self, node: &Node) -> Option<String> {
        let name = node.scalar().unwrap_or_default();
        let image: Option<ImageRef> = format!("{name}/x/y").parse().ok();
        // `a` alone would not be a registry, but the first part of a repository.
        let registry = image.filter(|image| has_registry(name) && image.repository() == "x/y");
        if registry.is_none() {
            self.wrong(node.span, "`registry` must be `HOST` or `HOST:PORT`, like `registry.example.com`");
        }
        registry.map(|image| image.registry().to_owned())
    }

    fn text(&mut self, section: &Node, field: &str) -> Option<String> {
        let node = section.get(field).filter(|node| !is_nothing(node));
        // Digits are a string here: they are used as they are written.
        let text = node.and_then(Node::scalar).filter(|text| !text.is_empty());
        match (node, text) {
            (Some(_), Some(_)) => {}
            (Some(node), None) => self.wrong(node.span, &format!("`{field}` must be a string that is not empty")),
            (None, _) => {
                self.wrong(section.span, &format!("`{field}` is missing: a section needs `username` and `password`"));
            }
        }
        text.map(str::to_owned)
    }

    fn images<'n>(&mut self, section: &'n Node) -> Vec<&'n Node> {
        match section.get("images") {
            Some(node) => match &node.followed().value {
                Value::List(images) => return images.iter().collect(),
                Value::Plain(_) if is_nothing(node) => {}
                Value::Plain(_) | Value::Text(_) | Value::Map(_) | Value::Alias(_) => {
                    self.wrong(node.span, "`images` must be a list of references");
                }
            },
            None => self.wrong(section.span, "`images` is missing: a list of references"),
        }
        Vec::new()
    }

    fn image(&mut self, node: &Node, registry: &str, login: &Login) {
        let Some(text) = node.scalar() else { return self.wrong(node.span, "expected a reference to an image") };
        let is_whole = text.split_once('/').is_some_and(|(first, _)| has_registry(first));
        let complete = if is_whole { text.to_owned() } else { format!("{registry}/{text}") };
        let image: ImageRef = match complete.parse() {
            Ok(image) => image,
            Err(error) => return self.wrong(node.span, &format!("{error}")),
        };
        if image.registry() != registry {
            let message = format!("`{image}` is not in `{registry}`, the registry of this login");
            return self.wrong_but(node.span, &message, Some("give it a section of its own".to_owned()));
        }
        let known = self.wanted.iter().find(|known| known.image.reference() == &image);
        match known.map(|known| known.login.as_ref() == Some(login)) {
            Some(true) => {}
            Some(false) => self.wrong(node.span, &format!("`{image}` has two different logins")),
            None => {
                let line = self.source.position(node.span.start).line;
                let file = AUTH_LIST.parse().expect("a plain word is a path");
                let (image, origin) = (image.into(), Origin::file(file).line(line));
                self.wanted.push(Wanted { image, origin, is_likely: false, login: Some(login.clone()) });
            }
        }
    }
}

/// Whether the first part of a reference is a registry, by Docker's rule.
fn has_registry(first: &str) -> bool {
    first.contains(['.', ':']) || first == "localhost"
}

/// `a:`, `a: null` and `a: ~`.
fn is_nothing(node: &Node) -> bool {
    matches!(&node.followed().value, Value::Plain(text) if matches!(text.as_str(), "" | "~" | "null" | "Null" | "NULL"))
}

/// A message of the parser without quoted text, which is in backticks.
fn without_words(message: &str) -> String {
    let parts = message.split('`').enumerate();
    let parts = parts.map(|(index, part)| {
        let is_word = index % 2 == 1 && part.len() > 3 && !FIELDS.contains(&part);
        if is_word { "…" } else { part }
    });
    parts.collect::<Vec<_>>().join("`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Result<String, String> {
        let lines = |lines: Vec<String>| lines.join("\n");
        match read(text) {
            Ok(wanted) => Ok(lines(
                wanted
                    .iter()
                    .map(|wanted| {
                        let login = wanted.login.as_ref().unwrap();
                        let Wanted { image, origin, .. } = wanted;
                        format!("{origin} {image} {} {}", login.username, login.password.expose())
                    })
                    .collect(),
            )),
            Err(failures) => {
                assert!(failures.iter().all(|failure| failure.kind == FailureKind::Invalid));
                Err(failures.iter().map(|failure| failure.render(None, false)).collect())
            }
        }
    }

    #[test]
    fn images_are_of_their_section_s_registry_and_have_its_login() {
        let text = "\
# who may
- registry: r.example.com:5000
  username: me
  password: 0123
  images: [r.example.com:5000/team/app:v1, team/tool, app@sha256:0000000000000000000000000000000000000000000000000000000000000000, team/tool:latest]
- username: you
  password: 'a: #b'
  images:
  - nginx
  - index.docker.io/private/x:1
- {registry: localhost, username: u, password: p, images: }
";
        insta::assert_snapshot!(said(text).unwrap(), @"
        imageListWithAuth.yaml:5 r.example.com:5000/team/app:v1 me 0123
        imageListWithAuth.yaml:5 r.example.com:5000/team/tool:latest me 0123
        imageListWithAuth.yaml:5 r.example.com:5000/app@sha256:0000000000000000000000000000000000000000000000000000000000000000 me 0123
        imageListWithAuth.yaml:9 docker.io/library/nginx:latest you a: #b
        imageListWithAuth.yaml:10 docker.io/private/x:1 you a: #b
        ");
        assert_eq!(said("# nothing\n"), Ok(String::new()));
        assert_eq!(said("[]"), Ok(String::new()));
    }

    #[test]
    fn mistakes_are_told_without_a_word_that_could_be_the_password() {
        let mut all = String::new();
        for text in [
            "- registry: https://r.example.com\n  username: u\n  password: hunter2\n  images: [a]\n",
            "- registry: r.example.com/x\n  user: u\n  passwort: hunter2\n  images: a\n",
            "- registry: r.example.com\n  username: u\n  password: [hunter2]\n",
            "- registry: r.example.com\n  username: u\n  password: p\n  images: [quay.io/a/b, A, {b: hunter2}]\n",
            "- {username: u, password: p, images: [a]}\n- {username: u, password: hunter2, images: [a]}\n",
            "registry: r\npassword: hunter2\n",
            "- hunter2\n",
            "- {username:u, password:hunter2}\n",
            "- {hunter2: 1, hunter2: 2}\n",
            "- password: hunter2: x\n",
            "- password: *hunter2\n",
            "- password: \"hunter2\n",
            "a: 1\n---\nhunter2: 1\n",
            "hunter2\n",
        ] {
            let said = said(text).unwrap_err();
            assert!(!said.contains("hunter2"), "{said}");
            assert!(said.lines().next().unwrap().starts_with("error: imageListWithAuth.yaml:"), "{said}");
            insta::allow_duplicates! {}
            all.push_str(&said);
        }
        insta::assert_snapshot!(all, @"
        error: imageListWithAuth.yaml:1:13: `registry` must be `HOST` or `HOST:PORT`, like `registry.example.com`
        error: imageListWithAuth.yaml:2:3: unknown field, expected `registry`, `username`, `password` or `images`
        error: imageListWithAuth.yaml:3:3: unknown field, expected `registry`, `username`, `password` or `images`
          help: did you mean `password`?
        error: imageListWithAuth.yaml:1:13: `registry` must be `HOST` or `HOST:PORT`, like `registry.example.com`
        error: imageListWithAuth.yaml:1:3: `username` is missing: a section needs `username` and `password`
        error: imageListWithAuth.yaml:1:3: `password` is missing: a section needs `username` and `password`
        error: imageListWithAuth.yaml:4:11: `images` must be a list of references
        error: imageListWithAuth.yaml:3:13: `password` must be a string that is not empty
        error: imageListWithAuth.yaml:1:3: `images` is missing: a list of references
        error: imageListWithAuth.yaml:4:12: `quay.io/a/b:latest` is not in `r.example.com`, the registry of this login
          help: give it a section of its own
        error: imageListWithAuth.yaml:4:25: `r.example.com/A` is not an image reference: a repository must be in lower case
        error: imageListWithAuth.yaml:4:28: expected a reference to an image
        error: imageListWithAuth.yaml:2:45: `docker.io/library/a:latest` has two different logins
        error: imageListWithAuth.yaml:1:1: expected a list of maps with `registry`, `username`, `password` and `images`
        error: imageListWithAuth.yaml:1:3: expected a map with `registry`, `username`, `password` and `images`
        error: imageListWithAuth.yaml:1:4: unknown field, expected `registry`, `username`, `password` or `images`
          help: did you mean `username`?
        error: imageListWithAuth.yaml:1:16: unknown field, expected `registry`, `username`, `password` or `images`
        error: imageListWithAuth.yaml:1:3: `username` is missing: a section needs `username` and `password`
        error: imageListWithAuth.yaml:1:3: `password` is missing: a section needs `username` and `password`
        error: imageListWithAuth.yaml:1:3: `images` is missing: a list of references
        error: imageListWithAuth.yaml:1:16: the key `…` is there twice; first in line 1
        error: imageListWithAuth.yaml:1:20: a `:` is not allowed here; check the indentation, and quote a string that contains `: `
        error: imageListWithAuth.yaml:1:13: the anchor of this alias does not exist; a string that starts with `*` needs quotes
        error: imageListWithAuth.yaml:1:13: a quoted string is not closed
        error: imageListWithAuth.yaml:2:1: a second document starts here
        error: imageListWithAuth.yaml:1:1: expected a list of maps with `registry`, `username`, `password` and `images`
        ");
    }
}
