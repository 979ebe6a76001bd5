//! Access to the registries: bearer tokens from the sandbox itself, with or without a password.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use hyper::{StatusCode, header};

use super::answer::Answer;
use super::request::Incoming;

/// Asks for a bearer token on every registry request. Format: distribution's token authentication specification.
#[derive(Debug, Clone)]
pub struct TokenRules {
    /// How long a token is good.
    pub lifetime: Duration,
    /// How many requests a token is good for; so a test can choose the exact request at which it expires.
    pub uses: usize,
    /// User and password that a token is given for; `None`: to anyone.
    pub login: Option<(String, String)>,
    /// A refresh token that a token is given for too, and that is given to anyone who asks with `offline_token`.
    pub identity_token: Option<String>,
}

impl Default for TokenRules {
    fn default() -> Self {
        Self { lifetime: Duration::from_mins(5), uses: usize::MAX, login: None, identity_token: None }
    }
}

/// The rules and the tokens that were given.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    rules: Option<TokenRules>,
    /// User and password that each request must have, if they are required.
    password: Option<(String, String)>,
    given: BTreeMap<String, Given>,
    count: u64,
}

#[derive(Debug)]
struct Given {
    until: Instant,
    uses: usize,
    scopes: Vec<String>,
}

impl Tokens {
    pub(super) fn set_rules(&mut self, rules: Option<TokenRules>) {
        self.rules = rules;
        self.given.clear();
    }

    pub(super) fn set_password(&mut self, password: Option<(String, String)>) {
        self.password = password;
    }

    /// Makes all tokens invalid.
    pub(super) fn expire(&mut self) {
        self.given.clear();
    }

    /// The refusal, if the request needs a token and has no valid one for this repository.
    pub(super) fn refusal(&mut self, request: &Incoming, repository: &str, origin: &str) -> Option<Answer> {
        if let Some((user, password)) = &self.password {
            let refusal = Answer::error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "authentication required");
            let refusal = refusal.with(&header::WWW_AUTHENTICATE, "Basic realm=\"sandbox\"");
            return (request.header(&header::AUTHORIZATION) != Some(&basic(user, password))).then_some(refusal);
        }
        self.rules.as_ref()?;
        let is_read = matches!(request.method.as_str(), "GET" | "HEAD");
        let actions = if is_read { "pull" } else { "pull,push" };
        let token = request.header(&header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
        let given = token.and_then(|token| self.given.get_mut(token));
        let good = given.filter(|given| given.uses > 0 && given.until > Instant::now()).filter(|given| {
            let grants = |scope: &String| {
                let granted = scope.strip_prefix("repository:").and_then(|scope| scope.rsplit_once(':'));
                granted.is_some_and(|(name, granted)| name == repository && (is_read || granted.contains("push")))
            };
            repository.is_empty() || given.scopes.iter().any(grants)
        });
        if let Some(given) = good {
            given.uses -= 1;
            return None;
        }
        let scope = match repository {
            "" => String::new(),
            name => format!(",scope=\"repository:{name}:{actions}\""),
        };
        let reason = if token.is_some() { ",error=\"invalid_token\"" } else { "" };
        let challenge = format!("Bearer realm=\"{origin}/token\",service=\"sandbox\"{scope}{reason}");
        let refusal = Answer::error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "authentication required");
        Some(refusal.with(&header::WWW_AUTHENTICATE, &challenge))
    }

    /// The answer to `/token`.
    pub(super) fn give(&mut self, request: &Incoming) -> Answer {
        let rules = self.rules.clone().unwrap_or_default();
        let form: BTreeMap<String, String> = url::form_urlencoded::parse(&request.body).into_owned().collect();
        let is_refresh = request.method == "POST"
            && form.get("grant_type").is_some_and(|grant| grant == "refresh_token")
            && form.get("refresh_token") == rules.identity_token.as_ref();
        let right = rules.login.as_ref().map(|(user, password)| basic(user, password));
        if right.is_some() && !is_refresh && request.header(&header::AUTHORIZATION) != right.as_deref() {
            return Answer::error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "wrong user or password")
                .with(&header::WWW_AUTHENTICATE, "Basic realm=\"sandbox\"");
        }
        let asked = request.query.iter().map(|(key, value)| (key, value)).chain(&form);
        let scopes = asked.filter(|(key, _)| *key == "scope");
        let scopes = scopes.flat_map(|(_, scopes)| scopes.split(' ')).map(str::to_owned).collect();
        self.count += 1;
        let token = format!("sandbox-token-{}", self.count);
        let until = Instant::now() + rules.lifetime;
        self.given.insert(token.clone(), Given { until, uses: rules.uses, scopes });
        let seconds = rules.lifetime.as_secs();
        let mut body = serde_json::json!({"token": token, "access_token": token, "expires_in": seconds});
        let is_offline = request.query.iter().any(|(key, value)| key == "offline_token" && value == "true");
        if let Some(refresh_token) = rules.identity_token.filter(|_| is_offline) {
            body["refresh_token"] = refresh_token.into();
        }
        Answer::new(StatusCode::OK, body.to_string()).with(&header::CONTENT_TYPE, "application/json")
    }
}

/// The expected value of `Authorization`.
fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", base64(format!("{user}:{password}").as_bytes()))
}

/// Base64 with padding, RFC 4648 section 4: all of it that is needed here.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().chain(&[0; 2]).take(3).fold(0_usize, |group, byte| group << 8 | usize::from(*byte));
        for place in 0..4 {
            let letter = char::from(LETTERS[group >> (18 - 6 * place) & 63]);
            text.push(if place <= chunk.len() { letter } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_pads() {
        for (plain, coded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(plain.as_bytes()), coded);
        }
    }
}
