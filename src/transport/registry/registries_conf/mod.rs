//! Settings for registries and mirrors: containers-registries.conf(5), version 2.

use rule::{Mirror, Pulls, Rule};

use crate::transport::LoginScope;
use crate::transport::settings::read_settings;
use crate::types::{Diagnostic, ImageRef, Reportable, Source};

mod find;
mod parse;
mod rule;
mod unknown;

pub(crate) use find::ConfigPlaces;

/// The user's settings for registries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RegistriesConf {
    rules: Vec<Rule>,
    warnings: Vec<String>,
}

/// A registry and the repository to use there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Endpoint {
    /// `HOST` or `HOST:PORT`.
    pub host: String,
    /// The repository there.
    pub repository: String,
    /// The user allows plain http, and https whose certificate is not verified.
    pub insecure: bool,
}

impl Endpoint {
    /// The registry's name as users know it: Docker's registry has another host name.
    #[must_use]
    pub(crate) fn name(&self) -> &str {
        if self.host == DOCKER_HOST { "docker.io" } else { &self.host }
    }
}

/// Where Docker's registry answers.
const DOCKER_HOST: &str = "registry-1.docker.io";

/// Why the settings about registries cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfError {
    /// A file could not be read; the error names it.
    #[error("the settings of registries cannot be read")]
    Read(#[from] std::io::Error),
    /// A file has something that cannot be parsed.
    #[error("{}: {}", .source_text.place(.diagnostic.span), .diagnostic.message)]
    Invalid {
        /// The file.
        source_text: Source,
        /// Place and reason; boxed, being large.
        diagnostic: Box<Diagnostic>,
    },
    /// The user blocked the registry.
    #[error("`{prefix}` is blocked in registries.conf")]
    Blocked {
        /// The prefix of the rule that blocks it.
        prefix: String,
    },
}

impl Reportable for ConfError {
    fn help(&self) -> Option<String> {
        match self {
            Self::Invalid { diagnostic, .. } => diagnostic.help.first().cloned(),
            Self::Read(_) | Self::Blocked { .. } => None,
        }
    }
}

impl RegistriesConf {
    /// Loads the files from the given places.
    pub fn load(places: &ConfigPlaces) -> Result<Self, ConfError> {
        let mut conf = Self::default();
        for path in places.files()? {
            let text = read_settings(&path)?;
            conf.merge(Self::from_text(&Source::new(&path.to_string_lossy(), &text))?);
        }
        Ok(conf)
    }

    /// The settings of one file.
    pub fn from_text(source: &Source) -> Result<Self, ConfError> {
        parse::parse(source)
            .map(|rules| Self { rules, warnings: unknown::warnings(source) })
            .map_err(|diagnostic| ConfError::Invalid { source_text: source.clone(), diagnostic: Box::new(diagnostic) })
    }

    /// Merges a later file into this one: its rules replace those with the same prefix.
    fn merge(&mut self, later: Self) {
        self.warnings.extend(later.warnings);
        for rule in later.rules {
            match self.rules.iter_mut().find(|old| old.prefix == rule.prefix) {
                Some(old) => *old = rule,
                None => self.rules.push(rule),
            }
        }
    }

    /// Settings in the files that have no effect, one sentence each.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The registries to try for an image, in order: mirrors, then the location itself.
    pub(crate) fn endpoints(&self, reference: &ImageRef) -> Result<Vec<Endpoint>, ConfError> {
        let name = format!("{}/{}", reference.registry(), reference.repository());
        let best = self
            .rules
            .iter()
            .filter_map(|rule| Some((matched(&rule.prefix, &name)?, rule)))
            // Two wildcards can match the same host: the more specific one wins.
            .max_by_key(|(length, rule)| (*length, rule.prefix.len()));
        let Some((length, rule)) = best else {
            return Ok(vec![endpoint(&name, false)]);
        };
        if rule.blocked {
            return Err(ConfError::Blocked { prefix: rule.prefix.clone() });
        }
        let rest = &name[length..];
        let by_digest = reference.digest().is_some();
        let asked = |mirror: &&Mirror| match mirror.pulls {
            Pulls::All => true,
            Pulls::DigestOnly => by_digest,
            Pulls::TagOnly => !by_digest,
        };
        let mirrors = rule.mirrors.iter().filter(asked);
        let mut endpoints: Vec<_> =
            mirrors.map(|mirror| endpoint(&format!("{}{rest}", mirror.location), mirror.insecure)).collect();
        let location = rule.location.as_ref().map_or_else(|| name.clone(), |location| format!("{location}{rest}"));
        endpoints.push(endpoint(&location, rule.insecure));
        Ok(endpoints)
    }

    /// The registry that a login is for, itself: mirrors have their own.
    pub(crate) fn login_endpoint(&self, scope: &LoginScope) -> Result<Endpoint, ConfError> {
        let name = scope.to_string();
        let rules = self.rules.iter().filter_map(|rule| Some((matched(&rule.prefix, &name)?, rule)));
        if let Some((_, rule)) = rules.max_by_key(|(length, rule)| (*length, rule.prefix.len()))
            && rule.blocked
        {
            return Err(ConfError::Blocked { prefix: rule.prefix.clone() });
        }
        // All rules that match; the most specific one wins.
        let places = self.rules.iter().flat_map(|rule| {
            let location = rule.location.as_ref().unwrap_or(&rule.prefix);
            let mirrors = rule.mirrors.iter().map(|mirror| (&mirror.location, mirror.insecure));
            std::iter::once((location, rule.insecure)).chain(mirrors)
        });
        let places = places.filter_map(|(location, insecure)| {
            Some((matched(location, &name)?, !location.starts_with('*'), location.len(), insecure))
        });
        let insecure = places.max().is_some_and(|(.., insecure)| insecure);
        Ok(endpoint(&name, insecure))
    }

    /// Whether the user named this `HOST[:PORT]`, as a whole, as insecure.
    #[must_use]
    pub(crate) fn is_insecure(&self, host: &str) -> bool {
        self.rules.iter().any(|rule| {
            let location = rule.location.as_ref().unwrap_or(&rule.prefix);
            let rule_itself = (location.as_str(), rule.insecure);
            let mirrors = rule.mirrors.iter().map(|mirror| (mirror.location.as_str(), mirror.insecure));
            std::iter::once(rule_itself).chain(mirrors).any(|(location, insecure)| insecure && location == host)
        })
    }
}

/// How many bytes of `name` the prefix matches; `None` if it does not match.
///
/// A prefix ends where a component ends: `quay.io/a` does not match `quay.io/ab`. `*.DOMAIN` matches whole subdomains.
fn matched(prefix: &str, name: &str) -> Option<usize> {
    let length = match prefix.strip_prefix('*') {
        None => name.starts_with(prefix).then_some(prefix.len())?,
        Some(suffix) => {
            let (domain, path) = suffix.split_at(suffix.find('/').unwrap_or(suffix.len()));
            let host = name.split('/').next().unwrap_or_default();
            // A wildcard without port matches every port.
            let host = if domain.contains(':') { host } else { host.split(':').next().unwrap_or_default() };
            let subdomain = host.strip_suffix(domain).filter(|subdomain| !subdomain.is_empty())?;
            name[subdomain.len()..].starts_with(suffix).then_some(host.len() + path.len())?
        }
    };
    matches!(name.as_bytes().get(length), None | Some(b'/' | b':')).then_some(length)
}

/// The endpoint of a complete name, `HOST/REPOSITORY`.
fn endpoint(name: &str, insecure: bool) -> Endpoint {
    let (host, repository) = name.split_once('/').unwrap_or((name, ""));
    // Docker's registry has another host name than its images.
    let host = if host == "docker.io" { DOCKER_HOST } else { host };
    Endpoint { host: host.to_owned(), repository: repository.to_owned(), insecure }
}

#[cfg(test)]
mod tests;
