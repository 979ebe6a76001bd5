//! Credential helpers: programs `docker-credential-NAME` that know logins.
//!
//! Protocol: github.com/docker/docker-credential-helpers: `get` takes the registry on stdin and gives JSON on stdout,
//! `store` takes JSON on stdin, `erase` the registry.

use std::io;
use std::process::Command;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::credentials::{Login, Proof};
use crate::process::{Limits, Output, RunError, Stdin, run};
use crate::transport::Secret;
use crate::transport::text::one_line;

/// The most bytes of an answer.
const LIMIT: u64 = 1024 * 1024;

/// The message about an answer that cannot be read.
const NO_ANSWER: &str = "its answer is not in the format of credential helpers";

/// The name that marks an identity token.
const TOKEN: &str = "<token>";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    #[serde(default)]
    username: String,
    #[serde(default)]
    secret: String,
}

/// The input of a helper's `store`.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Kept<'a> {
    #[serde(rename = "ServerURL")]
    server_url: &'a str,
    username: &'a str,
    secret: &'a str,
}

/// The output of a helper that ended.
struct Ended(Output);

/// The program's name.
pub(crate) fn program(helper: &str) -> String {
    format!("docker-credential-{helper}")
}

/// Asks `docker-credential-HELPER` for the login at `registry`; `None` if it has none. The error says why the helper
/// failed, and never repeats a secret.
pub(crate) fn get(helper: &str, registry: &str, limit: Duration) -> Result<Option<Proof>, String> {
    ask(command(helper, "get")?, registry, limit)
}

/// Stores a login with `docker-credential-HELPER`, replacing the one for `registry`. An identity token is stored under
/// a special name.
pub(crate) fn store(helper: &str, registry: &str, proof: &Proof, limit: Duration) -> Result<(), String> {
    give(command(helper, "store")?, registry, proof, limit)
}

/// Removes the login for `registry` from `docker-credential-HELPER`; no error if there is none.
pub(crate) fn erase(helper: &str, registry: &str, limit: Duration) -> Result<(), String> {
    let ended = talk(command(helper, "erase")?, registry.as_bytes(), limit)?;
    if ended.0.status.success() || ended.has_none() { Ok(()) } else { Err(ended.refusal(None)) }
}

fn command(helper: &str, action: &str) -> Result<Command, String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if helper.is_empty() || !helper.chars().all(is_name) {
        return Err("that is not the name of a helper".to_owned());
    }
    let mut command = Command::new(program(helper));
    command.arg(action);
    Ok(command)
}

fn ask(command: Command, registry: &str, limit: Duration) -> Result<Option<Proof>, String> {
    let ended = talk(command, registry.as_bytes(), limit)?;
    if !ended.0.status.success() {
        return if ended.has_none() { Ok(None) } else { Err(ended.refusal(None)) };
    }
    let answer: Answer = serde_json::from_slice(&ended.0.stdout).map_err(|_| NO_ANSWER.to_owned())?;
    Ok(match answer {
        Answer { username, secret } if username.is_empty() && secret.is_empty() => None,
        Answer { username, secret } if username == TOKEN => Some(Proof::IdentityToken(Secret::new(secret))),
        Answer { username, secret } => Some(Proof::Login(Login { username, password: Secret::new(secret) })),
    })
}

fn give(command: Command, registry: &str, proof: &Proof, limit: Duration) -> Result<(), String> {
    let (username, secret) = match proof {
        Proof::Login(login) => (login.username.as_str(), &login.password),
        Proof::IdentityToken(token) => (TOKEN, token),
        Proof::RegistryToken(_) => return Err("helpers cannot store tokens of registries".to_owned()),
    };
    let kept = Kept { server_url: registry, username, secret: secret.expose() };
    let input = serde_json::to_vec(&kept).expect("three strings can be written as JSON");
    let ended = talk(command, &input, limit)?;
    if ended.0.status.success() { Ok(()) } else { Err(ended.refusal(Some(secret))) }
}

/// Runs a helper with `input` on its stdin.
fn talk(mut command: Command, input: &[u8], time: Duration) -> Result<Ended, String> {
    let limits = Limits { time, stdout: LIMIT, stderr: LIMIT };
    run(&mut command, Stdin::Bytes(input), limits).map(Ended).map_err(|error| match error {
        RunError::Start(error) if error.kind() == io::ErrorKind::NotFound => {
            "there is no such program in PATH".to_owned()
        }
        RunError::Start(error) => format!("it cannot be started: {error}"),
        RunError::Slow | RunError::Wait(_) => format!("it did not answer within {} s", time.as_secs_f32()),
        RunError::Long => NO_ANSWER.to_owned(),
    })
}

impl Ended {
    /// Both outputs as text for messages, stdout first.
    fn words(&self) -> [String; 2] {
        [&self.0.stdout, &self.0.stderr].map(|bytes| one_line(&String::from_utf8_lossy(bytes)))
    }

    /// It says that it has no login for that registry.
    fn has_none(&self) -> bool {
        self.words().iter().any(|said| said.to_lowercase().contains("credentials not found"))
    }

    /// The reason for a status other than 0; `given` is a secret that must not be repeated.
    fn refusal(&self, given: Option<&Secret>) -> String {
        let [stdout, stderr] = self.words();
        // Output that looks like an answer may contain a password.
        let is_fit = |said: &String| !said.contains('{') && given.is_none_or(|given| !said.contains(given.expose()));
        match [stderr, stdout].into_iter().find(|said| !said.is_empty() && is_fit(said)) {
            Some(said) => format!("it says: {said}"),
            None => format!("it ended with {}", self.0.status),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The result of a helper that runs this script.
    fn said(script: &str, limit: Duration) -> Result<Option<Proof>, String> {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", script]);
        ask(command, "r.example", limit)
    }

    #[test]
    fn answers_are_logins_tokens_or_none() {
        let minute = Duration::from_mins(1);
        let answer = |username: &str| format!(r#"echo '{{"Username": "{username}", "Secret": "'$(cat)'"}}'"#);
        let login = Login { username: "bob".to_owned(), password: Secret::new("r.example") };
        assert_eq!(said(&answer("bob"), minute), Ok(Some(Proof::Login(login))));
        assert_eq!(said(&answer(TOKEN), minute), Ok(Some(Proof::IdentityToken(Secret::new("r.example")))));
        assert_eq!(said(r#"echo '{"Username": "", "Secret": ""}'"#, minute), Ok(None));
        assert_eq!(said("echo Credentials not found >&2; exit 1", minute), Ok(None));
        assert_eq!(said("exit 7", minute), Err("it ended with exit status: 7".to_owned()));
        // More than a pipe holds, on both.
        let flood = "head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2";
        assert_eq!(said(flood, minute), Err("its answer is not in the format of credential helpers".to_owned()));
    }

    #[test]
    fn what_is_kept_goes_by_stdin_and_is_never_repeated() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("given");
        let login = Proof::Login(Login { username: "bob".to_owned(), password: Secret::new("pa\"ss") });
        let given = |script: &str, proof: &Proof| {
            let mut command = Command::new("/bin/sh");
            command.args(["-c", script]);
            give(command, "r.example", proof, Duration::from_mins(1))
        };
        let keep = format!("cat > {}", file.display());
        for (proof, expected) in [
            (&login, r#"{"ServerURL":"r.example","Username":"bob","Secret":"pa\"ss"}"#),
            (
                &Proof::IdentityToken(Secret::new("idt")),
                r#"{"ServerURL":"r.example","Username":"<token>","Secret":"idt"}"#,
            ),
        ] {
            assert_eq!(given(&keep, proof), Ok(()));
            assert_eq!(fs_err::read_to_string(&file).unwrap(), expected);
        }
        let refused = |script: &str| given(script, &login).unwrap_err();
        assert_eq!(refused("cat >&2; exit 3"), "it ended with exit status: 3");
        assert_eq!(refused("echo 'no pa\"ss for you'; exit 1"), "it ended with exit status: 1");
        assert_eq!(refused("echo locked; exit 1"), "it says: locked");
    }

    #[test]
    fn a_helper_has_its_time_and_a_name() {
        let late = said("exec sleep 60", Duration::from_millis(200));
        assert_eq!(late, Err("it did not answer within 0.2 s".to_owned()));
        for name in ["", "../x", "a b", "x/y"] {
            assert_eq!(get(name, "r", Duration::ZERO), Err("that is not the name of a helper".to_owned()), "{name}");
        }
    }
}
