//! TOML → rules. Keys that are not for pulling (short names, signatures) are ignored.

use serde::Deserialize;
use toml::Spanned;

use super::rule::{Mirror, Pulls, Rule};
use crate::types::{Diagnostic, Source, Span};

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    registry: Vec<Spanned<WrittenRule>>,
    /// Of version 1.
    registries: Option<Spanned<toml::Table>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct WrittenRule {
    prefix: Option<Spanned<String>>,
    location: Option<Spanned<String>>,
    #[serde(default)]
    insecure: bool,
    #[serde(default)]
    blocked: bool,
    #[serde(default)]
    mirror_by_digest_only: bool,
    #[serde(default)]
    mirror: Vec<Spanned<WrittenMirror>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct WrittenMirror {
    location: Option<Spanned<String>>,
    #[serde(default)]
    insecure: bool,
    pull_from_mirror: Option<Spanned<String>>,
}

pub(super) fn parse(source: &Source) -> Result<Vec<Rule>, Diagnostic> {
    let file: File = toml::from_str(source.text()).map_err(|error| {
        let span = error.span().unwrap_or_default();
        let message = error.message().lines().collect::<Vec<_>>().join("; ");
        Diagnostic::error(Span::new(span.start, span.end), message)
    })?;
    if let Some(old) = file.registries {
        return Err(Diagnostic::error(span(&old), "this is version 1 of registries.conf, which is not supported")
            .with_help("write `[[registry]]` tables, containers-registries.conf(5)"));
    }
    let mut rules: Vec<Rule> = Vec::new();
    for written in file.registry {
        let place = span(&written);
        let rule = rule(written)?;
        if rules.iter().any(|other| other.prefix == rule.prefix) {
            return Err(Diagnostic::error(place, format!("`{}` already has a `[[registry]]`", rule.prefix)));
        }
        rules.push(rule);
    }
    Ok(rules)
}

fn span<T>(spanned: &Spanned<T>) -> Span {
    let range = spanned.span();
    Span::new(range.start, range.end)
}

fn rule(written: Spanned<WrittenRule>) -> Result<Rule, Diagnostic> {
    let place = span(&written);
    let WrittenRule { prefix, location, insecure, blocked, mirror_by_digest_only, mirror } = written.into_inner();
    let wildcard = prefix.as_ref().is_some_and(|prefix| prefix.as_ref().starts_with("*."));
    let location = location.filter(|location| !location.as_ref().is_empty());
    let prefix = prefix.filter(|prefix| !prefix.as_ref().is_empty());
    let (prefix, location) = match (prefix, location) {
        (None, None) => return Err(Diagnostic::error(place, "a `[[registry]]` needs `prefix` or `location`")),
        (None, Some(location)) => {
            let location = name(&location, false)?;
            (location.clone(), Some(location))
        }
        (Some(prefix), None) => {
            let prefix = name(&prefix, true)?;
            let location = (!wildcard).then(|| prefix.clone());
            (prefix, location)
        }
        (Some(prefix), Some(location)) => (name(&prefix, true)?, Some(name(&location, false)?)),
    };
    let mirrors =
        mirror.into_iter().map(|mirror| one_mirror(mirror, mirror_by_digest_only)).collect::<Result<_, _>>()?;
    Ok(Rule { prefix, location, insecure, blocked, mirrors })
}

fn one_mirror(written: Spanned<WrittenMirror>, by_digest_only: bool) -> Result<Mirror, Diagnostic> {
    let place = span(&written);
    let WrittenMirror { location, insecure, pull_from_mirror } = written.into_inner();
    let location = location.ok_or_else(|| Diagnostic::error(place, "a `[[registry.mirror]]` needs `location`"))?;
    let pulls = match pull_from_mirror {
        None if by_digest_only => Pulls::DigestOnly,
        None => Pulls::All,
        Some(written) if by_digest_only => {
            let message = "`pull-from-mirror` and `mirror-by-digest-only = true` exclude each other";
            return Err(Diagnostic::error(span(&written), message));
        }
        Some(written) => match written.as_ref().as_str() {
            "" | "all" => Pulls::All,
            "digest-only" => Pulls::DigestOnly,
            "tag-only" => Pulls::TagOnly,
            other => {
                let message = format!("unknown value `{other}` of `pull-from-mirror`");
                return Err(Diagnostic::error(span(&written), message)
                    .with_label("expected `all`, `digest-only` or `tag-only`"));
            }
        },
    };
    Ok(Mirror { location: name(&location, false)?, insecure, pulls })
}

/// `HOST[:PORT][/PATH]`, a prefix also `*.DOMAIN[/PATH]`, without the `/` at its end.
fn name(written: &Spanned<String>, is_prefix: bool) -> Result<String, Diagnostic> {
    let text = written.as_ref().trim_end_matches('/');
    let error = |message: String| Err(Diagnostic::error(span(written), message));
    if text.contains("://") {
        return error(format!("`{text}` has a scheme; remove it, and write `insecure = true` for http"));
    }
    let plain = if is_prefix { text.strip_prefix("*.").unwrap_or(text) } else { text };
    let (host, path) = plain.split_once('/').unwrap_or((plain, ""));
    let host_is_good = !host.is_empty()
        && host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':' | b'[' | b']'));
    let path_is_good = path.split('/').all(|part| {
        let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'_');
        part.bytes().all(good) && !matches!(part, "." | "..")
    });
    if !host_is_good || !path_is_good || plain.contains("//") {
        let message = format!("`{text}` is not `HOST[:PORT][/PATH]`");
        return error(if path.contains([':', '@']) {
            format!("{message}; tags and digests are not supported here")
        } else {
            message
        });
    }
    Ok(text.to_owned())
}
