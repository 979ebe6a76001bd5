//! Files with logins: containers-auth.json(5) and Docker's config.json, which have the same format.
//!
//! ```text
//! {"auths": {"quay.io/team": {"auth": BASE64(USER:PASSWORD)}, "r.example": {"identitytoken": "…"}},
//!  "credHelpers": {"gcr.io": "gcloud"}, "credsStore": "secretservice"}
//! ```

use std::path::Path;

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::credentials::{CredentialsError, Login, Proof};
use crate::syntax::{Limits, Node, Value, parse_json};
use crate::transport::settings::read_settings;
use crate::transport::{LoginScope, Secret};
use crate::types::{Diagnostic, Source, Span};

/// Another name for Docker's registry in both kinds of files, in addition to `docker.io`.
const DOCKER_HUB: &str = "index.docker.io";

/// One file with logins.
#[derive(Debug, Clone)]
pub(crate) struct AuthFile {
    name: String,
    entries: Vec<Entry>,
    /// `credHelpers`: registry and helper.
    helpers: Vec<(String, String)>,
    /// `credsStore`: the helper for every registry.
    store: Option<String>,
}

/// One entry of `auths`.
#[derive(Debug, Clone)]
struct Entry {
    /// `HOST[:PORT][/NAMESPACE…]`, or a URL, as old versions of Docker wrote it.
    key: String,
    /// `None` if the entry is empty: Docker leaves an empty entry if a helper has the login.
    proof: Option<Proof>,
}

/// What a file says about a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    /// Nothing.
    Nothing,
    /// This.
    Proof(Proof),
    /// A helper knows the login; `otherwise` is used if the helper has none.
    Helper { helper: String, otherwise: Option<Proof> },
}

impl AuthFile {
    pub(crate) fn load(path: &Path) -> Result<Self, CredentialsError> {
        Self::parse(&Source::new(&path.to_string_lossy(), &read_settings(path)?))
    }

    /// Reads the text of a file.
    pub(crate) fn parse(source: &Source) -> Result<Self, CredentialsError> {
        let invalid =
            |diagnostic| CredentialsError::Invalid { source_text: source.clone(), diagnostic: Box::new(diagnostic) };
        read(source).map_err(invalid)
    }

    /// The file's name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// What the file says about a repository. The most specific key wins, as in containers-auth.json(5). As in Docker,
    /// a helper for the registry comes before an entry for the whole registry.
    pub(crate) fn find(&self, registry: &str, repository: &str) -> Said {
        let whole = if repository.is_empty() { registry.to_owned() } else { format!("{registry}/{repository}") };
        let mut name = whole.as_str();
        while let Some((parent, _)) = name.rsplit_once('/') {
            if let Some(proof) = self.exact(name) {
                return Said::Proof(proof);
            }
            name = parent;
        }
        let otherwise = self.exact(registry).or_else(|| {
            let same = |entry: &&Entry| host_of(&entry.key) == Some(hub(registry));
            self.entries.iter().filter(same).find_map(|entry| entry.proof.clone())
        });
        match (self.helper(registry), otherwise) {
            (Some(helper), otherwise) => Said::Helper { helper: helper.to_owned(), otherwise },
            (None, Some(proof)) => Said::Proof(proof),
            (None, None) => Said::Nothing,
        }
    }

    /// The helper that stores the login for a whole registry; `None` if the file itself does.
    pub(crate) fn helper(&self, registry: &str) -> Option<&str> {
        let own = self.helpers.iter().find(|(key, _)| host_of(key) == Some(hub(registry)));
        // An empty helper means no helper, even if there is a store for all registries.
        own.map(|(_, helper)| helper).or(self.store.as_ref()).filter(|helper| !helper.is_empty()).map(String::as_str)
    }

    /// All helpers that the file names, each with its registry; `None` if it is for every registry.
    pub(crate) fn helpers(&self) -> impl Iterator<Item = (Option<&str>, &str)> {
        let single = self.helpers.iter().map(|(registry, helper)| (Some(registry.as_str()), helper.as_str()));
        self.store.iter().map(|helper| (None, helper.as_str())).chain(single)
    }

    /// Whether the file itself has a login.
    pub(crate) fn has_logins(&self) -> bool {
        self.entries.iter().any(|entry| entry.proof.is_some())
    }

    /// The keys that mean `scope`, one or several: there are many ways to write a whole registry.
    pub(crate) fn keys(&self, scope: &LoginScope) -> Vec<&str> {
        let keys = self.entries.iter().map(|entry| entry.key.as_str());
        if scope.namespace().is_empty() {
            keys.filter(|key| *key == scope.registry() || host_of(key) == Some(hub(scope.registry()))).collect()
        } else {
            let whole = scope.to_string();
            keys.filter(|key| *key == whole).collect()
        }
    }

    /// The keys with a login for a part of `scope`; for that part, they are used before the login for the scope itself.
    pub(crate) fn parts(&self, scope: &LoginScope) -> Vec<&str> {
        let below = format!("{scope}/");
        let own = self.keys(scope);
        let entries = self.entries.iter().filter(|entry| entry.proof.is_some() && entry.key.starts_with(&below));
        entries.map(|entry| entry.key.as_str()).filter(|key| !own.contains(key)).collect()
    }

    fn exact(&self, key: &str) -> Option<Proof> {
        self.entries.iter().find(|entry| entry.key == key)?.proof.clone()
    }
}

/// The registry of a key without namespace; `None` if it has one. `https://gcr.io/v1/` is `gcr.io`.
fn host_of(key: &str) -> Option<&str> {
    let stripped = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://"));
    let host = match stripped {
        Some(url) => url.split('/').next().unwrap_or(url),
        None => match key.split_once('/') {
            None => key,
            Some((host, "v1/" | "v2/" | "")) => host,
            Some(_) => return None,
        },
    };
    Some(hub(host))
}

/// One name for Docker's registry.
fn hub(host: &str) -> &str {
    if matches!(host, "docker.io" | "registry-1.docker.io") { DOCKER_HUB } else { host }
}

fn read(source: &Source) -> Result<AuthFile, Diagnostic> {
    let mut file = AuthFile { name: source.name().to_owned(), entries: Vec::new(), helpers: Vec::new(), store: None };
    // Docker reads an empty file as one without logins.
    if source.text().trim().is_empty() {
        return Ok(file);
    }
    let root = parse_json(source.text(), Limits::document()).map_err(|error| {
        // The text found there may be a secret whose quotes are missing, so it is not shown.
        let message = error.message.split(", found").next().unwrap_or_default();
        Diagnostic::error(error.span, message)
    })?;
    if !matches!(root.value, Value::Map(_)) {
        return Err(Diagnostic::error(root.span, "a file with logins is a JSON object"));
    }
    for (key, value) in map(&root, "auths")? {
        let proof = entry(key, value)?;
        file.entries.push(Entry { key: key.to_owned(), proof });
    }
    for (key, value) in map(&root, "credHelpers")? {
        file.helpers.push((key.to_owned(), text(value, key)?.to_owned()));
    }
    if let Some(store) = root.get("credsStore").filter(|store| !is_null(store)) {
        file.store = Some(text(store, "credsStore")?.to_owned());
    }
    Ok(file)
}

fn is_null(node: &Node) -> bool {
    matches!(&node.value, Value::Plain(text) if text == "null")
}

/// The entries of an optional object.
fn map<'a>(parent: &'a Node, key: &str) -> Result<Vec<(&'a str, &'a Node)>, Diagnostic> {
    match parent.get(key) {
        None => Ok(Vec::new()),
        Some(node) if is_null(node) => Ok(Vec::new()),
        Some(Node { value: Value::Map(entries), .. }) => {
            Ok(entries.iter().filter_map(|(key, value)| Some((key.scalar()?, value))).collect())
        }
        Some(node) => Err(Diagnostic::error(node.span, format!("`{key}` is not an object"))),
    }
}

fn text<'a>(node: &'a Node, key: &str) -> Result<&'a str, Diagnostic> {
    match &node.value {
        Value::Text(text) => Ok(text),
        Value::Plain(_) | Value::Map(_) | Value::List(_) | Value::Alias(_) => {
            Err(Diagnostic::error(node.span, format!("`{key}` is not a string")))
        }
    }
}

/// A member of an entry, if it exists and is not empty.
fn member<'a>(entry: &'a Node, key: &str) -> Result<Option<(&'a str, Span)>, Diagnostic> {
    match entry.get(key).filter(|node| !is_null(node)) {
        None => Ok(None),
        Some(node) => Ok(Some((text(node, key)?, node.span)).filter(|(text, _)| !text.is_empty())),
    }
}

fn entry(key: &str, node: &Node) -> Result<Option<Proof>, Diagnostic> {
    if !matches!(node.value, Value::Map(_)) {
        return Err(Diagnostic::error(node.span, format!("the login for `{key}` is not an object")));
    }
    if let Some((token, _)) = member(node, "identitytoken")? {
        return Ok(Some(Proof::IdentityToken(Secret::new(token))));
    }
    if let Some((auth, span)) = member(node, "auth")? {
        // The text itself is a secret, so the message does not show it.
        let wrong = || Diagnostic::error(span, format!("the `auth` of `{key}` is not USER:PASSWORD in base64"));
        return Ok(Some(Proof::Login(login(auth).ok_or_else(wrong)?)));
    }
    if let Some((token, _)) = member(node, "registrytoken")? {
        return Ok(Some(Proof::RegistryToken(Secret::new(token))));
    }
    match (member(node, "username")?, member(node, "password")?) {
        (Some((username, _)), Some((password, _))) => {
            Ok(Some(Proof::Login(Login { username: username.to_owned(), password: Secret::new(password) })))
        }
        (None, None) => Ok(None),
        (Some((_, span)), None) | (None, Some((_, span))) => {
            Err(Diagnostic::error(span, format!("the login for `{key}` has only one of `username` and `password`")))
        }
    }
}

/// Name and password of an `auth`. Padding is optional, and Docker removes trailing NULs.
fn login(auth: &str) -> Option<Login> {
    let lenient = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let bytes = GeneralPurpose::new(&base64::alphabet::STANDARD, lenient).decode(auth.trim()).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (username, password) = text.split_once(':').filter(|(username, _)| !username.is_empty())?;
    let password = Secret::new(password.trim_end_matches('\0'));
    Some(Login { username: username.to_owned(), password })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> Result<AuthFile, CredentialsError> {
        AuthFile::parse(&Source::new("config.json", text))
    }

    /// The outcome on one line; the passwords are made up for the tests.
    fn said(file: &AuthFile, name: &str) -> String {
        let (registry, repository) = name.split_once('/').unwrap_or((name, ""));
        let shown = |proof: &Proof| match proof {
            Proof::Login(login) => format!("{}:{}", login.username, login.password.expose()),
            Proof::IdentityToken(token) => format!("identity {}", token.expose()),
            Proof::RegistryToken(token) => format!("registry {}", token.expose()),
        };
        match file.find(registry, repository) {
            Said::Nothing => "-".to_owned(),
            Said::Proof(proof) => shown(&proof),
            Said::Helper { helper, otherwise } => format!("{helper} else {:?}", otherwise.as_ref().map(shown)),
        }
    }

    #[test]
    fn the_most_specific_key_counts() {
        let file = file(
            r#"{"auths": {
                "quay.io": {"auth": "aG9zdDoxMjM="},
                "quay.io/team": {"auth": "dGVhbTpwOjpxAAA="},
                "quay.io/team/app": {"username": "app", "password": "x"},
                "quay.io/empty": {},
                "https://index.docker.io/v1/": {"auth": "aHViOjE"},
                "r.example:5000": {"auth": "", "identitytoken": "idt"},
                "t.example": {"registrytoken": "rt"},
                "https://gcr.io/v1/": {"auth": "Z2NyOjE="}
            }, "HttpHeaders": {"x": "y"}}"#,
        )
        .unwrap();
        for (name, expected) in [
            ("quay.io/team/app", "app:x"),
            ("quay.io/team/app/deep", "app:x"),
            ("quay.io/team/other", "team:p::q"),
            ("quay.io/teams/x", "host:123"),
            ("quay.io/empty/x", "host:123"),
            ("quay.io", "host:123"),
            ("docker.io/library/nginx", "hub:1"),
            ("registry-1.docker.io/library/nginx", "hub:1"),
            ("r.example:5000/x", "identity idt"),
            ("r.example/x", "-"),
            ("t.example/x", "registry rt"),
            ("gcr.io/x", "gcr:1"),
        ] {
            assert_eq!(said(&file, name), expected, "{name}");
        }
    }

    #[test]
    fn helpers_come_before_what_the_file_has_for_the_whole_registry() {
        let file = file(
            r#"{"auths": {"quay.io": {"auth": "aG9zdDoxMjM="}, "quay.io/team": {"auth": "aG9zdDoxMjM="},
                "own.example": {"auth": "aG9zdDoxMjM="}, "gcr.io": {}},
                "credHelpers": {"gcr.io": "gcloud", "own.example": ""}, "credsStore": "desktop"}"#,
        )
        .unwrap();
        for (name, expected) in [
            ("gcr.io/x", "gcloud else None"),
            ("quay.io/x", "desktop else Some(\"host:123\")"),
            ("quay.io/team/x", "host:123"),
            ("own.example/x", "host:123"),
            ("docker.io/x", "desktop else None"),
        ] {
            assert_eq!(said(&file, name), expected, "{name}");
        }
    }

    #[test]
    fn a_registry_may_be_written_in_many_ways() {
        let file = file(
            r#"{"auths": {"gcr.io": {}, "https://gcr.io/v1/": {"auth": "YTpi"}, "gcr.io/v1/": {}, "gcr.io/v1": {"auth": "YTpi"},
                "gcr.io/team": {"auth": "YTpi"}, "gcr.io/team/app": {"auth": "YTpi"}, "gcr.io/empty": {}, "xgcr.io": {},
                "docker.io": {}, "https://index.docker.io/v1/": {}, "docker.io/me": {"auth": "YTpi"}},
                "credHelpers": {"https://gcr.io": "own"}, "credsStore": "all"}"#,
        )
        .unwrap();
        for (scope, keys, parts) in [
            (
                "gcr.io",
                vec!["gcr.io", "https://gcr.io/v1/", "gcr.io/v1/"],
                vec!["gcr.io/v1", "gcr.io/team", "gcr.io/team/app"],
            ),
            ("gcr.io/team", vec!["gcr.io/team"], vec!["gcr.io/team/app"]),
            ("gcr.io/te", vec![], vec![]),
            ("docker.io", vec!["docker.io", "https://index.docker.io/v1/"], vec!["docker.io/me"]),
            ("quay.io", vec![], vec![]),
        ] {
            let scope = scope.parse().unwrap();
            assert_eq!((file.keys(&scope), file.parts(&scope)), (keys, parts), "{scope}");
        }
        assert_eq!((file.helper("gcr.io"), file.helper("quay.io")), (Some("own"), Some("all")));
    }

    #[test]
    fn mistakes_are_shown_where_they_stand_and_without_secrets() {
        let messages: Vec<String> = [
            "{\"auths\": {\n  \"a\": {\"auth\": \"c2VjcmV0\"}}}",
            "{\"auths\": {\n  \"a\": {\"auth\": \"***\"}}}",
            "{\"auths\": {\n  \"a\": {\"auth\": \"OnNlY3JldA==\"}}}",
            "{\"auths\": {\n  \"a\": {\"username\": \"bob\"}}}",
            "{\"auths\": {\n  \"a\": \"secret\"}}",
            "{\"auths\": []}",
            "{\"auths\": {},\n  \"credsStore\": 1}",
            "{\"credHelpers\": {\"a\": {}}}",
            "{\"auths\": {\n  \"a\": {}\n  \"b\": {}}}",
            "[]",
            "auths: {}",
            "{\"auths\": {\"a\": {\"auth\": c2VjcmV0}}}",
        ]
        .iter()
        .map(|text| file(text).unwrap_err().to_string())
        .collect();
        insta::assert_snapshot!(messages.join("\n"), @"
        config.json:2:17: the `auth` of `a` is not USER:PASSWORD in base64
        config.json:2:17: the `auth` of `a` is not USER:PASSWORD in base64
        config.json:2:17: the `auth` of `a` is not USER:PASSWORD in base64
        config.json:2:21: the login for `a` has only one of `username` and `password`
        config.json:2:8: the login for `a` is not an object
        config.json:1:11: `auths` is not an object
        config.json:2:17: `credsStore` is not a string
        config.json:1:23: `a` is not a string
        config.json:3:3: expected `,` or `}`
        config.json:1:1: a file with logins is a JSON object
        config.json:1:1: expected a value
        config.json:1:26: expected a value
        ");
        assert!(file(" \n").unwrap().entries.is_empty());
        assert!(file("{\"auths\": null}").unwrap().entries.is_empty());
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_a_file_or_an_error(text in "[{}\\[\\]\":,auths\\PC]{0,60}") {
            drop(file(&text));
        }
    }
}
