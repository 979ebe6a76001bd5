//! Logins in the files where users have them, and from credential helpers.

use base64::Engine as _;
use sealer::testing::sandbox::TokenRules;

use super::{Kind, LOGIN, insecure, pull, pulled, registry};
use crate::support::program::World;

fn base64(text: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// A world whose registry asks for a login and is named insecure, with its address.
fn closed(kind: Kind) -> Option<(World, super::Registry, String)> {
    let world = World::new();
    let registry = registry(kind, &world, Some(LOGIN))?;
    let host = registry.address.to_string();
    insecure(&world, &[&host]);
    Some((world, registry, host))
}

fn config(key: &str, (user, password): (&str, &str)) -> String {
    format!("{{\"auths\": {{\n  \"{key}\": {{\"auth\": \"{}\"}}\n}}}}\n", base64(&format!("{user}:{password}")))
}

#[test]
fn a_login_opens_the_registry_wherever_users_have_it_and_is_in_no_log() {
    for kind in [Kind::Sandbox, Kind::Docker] {
        for place in ["home/.docker/config.json", "home/.config/containers/auth.json", "run/containers/auth.json"] {
            let Some((world, _registry, host)) = closed(kind) else { continue };
            world.write(place, config(&host, LOGIN));
            let run = pulled(&world, &host, &[("RUST_LOG", "trace")], &["-vvvv"]);
            assert!(run.stderr.contains("GET"), "{run}");
            let secrets = [LOGIN.1.to_owned(), base64(&format!("{}:{}", LOGIN.0, LOGIN.1)), base64(LOGIN.1)];
            assert!(secrets.iter().all(|secret| !run.stderr.contains(secret) && !run.stdout.contains(secret)), "{run}");
        }
        let Some((world, _registry, host)) = closed(kind) else { continue };
        // The file that is named is the only one, and the most specific key counts.
        world.write("home/.docker/config.json", config(&host, ("eve", "wrong")));
        let named = config(&host, ("eve", "wrong")).replace(
            "\n}}",
            &format!(",\n \"{host}/docker.io\": {{\"auth\": \"{}\"}}}}}}", base64(&format!("{}:{}", LOGIN.0, LOGIN.1))),
        );
        let named = world.write("named.json", named);
        pulled(&world, &host, &[("REGISTRY_AUTH_FILE", named.to_str().unwrap())], &[]);
    }
}

#[test]
fn a_login_that_is_missing_or_wrong_is_told_with_where_it_comes_from() {
    for kind in [Kind::Sandbox, Kind::Docker] {
        let Some((world, _registry, host)) = closed(kind) else { continue };
        let none = pull(&world, &host, &[], &[]);
        world.write("home/.docker/config.json", config(&host, (LOGIN.0, "wr0ng-one")));
        let wrong = pull(&world, &host, &[], &["-vv"]);
        assert!(!wrong.stderr.contains("wr0ng-one") && !wrong.stderr.contains(&base64("bob:wr0ng-one")), "{wrong}");
        assert_eq!((none.code, wrong.code), (Some(1), Some(1)), "{none}{wrong}");
        insta::allow_duplicates! {
            insta::assert_snapshot!("login-none", none.stderr);
            let said: Vec<&str> = wrong.stderr.lines().skip_while(|line| !line.starts_with("error")).collect();
            insta::assert_snapshot!("login-wrong", said.join("\n"));
        }
    }
}

#[test]
fn a_broken_file_is_an_error_at_its_line() {
    let world = World::new();
    world.write("home/.docker/config.json", "{\"auths\": {\n  \"a\": {\"auth\": \"bm90aGluZw==\"}}}\n");
    let broken = pull(&world, "127.0.0.1:1", &[], &[]);
    let missing = pull(&world, "127.0.0.1:1", &[("REGISTRY_AUTH_FILE", "/nowhere/auth.json")], &[]);
    assert_eq!((broken.code, missing.code), (Some(1), Some(1)));
    insta::assert_snapshot!("login-broken-file", format!("{}{}", broken.stderr, missing.stderr));
}

/// Puts a credential helper on the PATH, and the file that names it.
fn helper(world: &World, host: &str, script: &str) -> String {
    world.script("bin/docker-credential-corp", &format!("#!/bin/sh\nread -r asked\n{script}\n"));
    world.write("home/.docker/config.json", format!("{{\"credHelpers\": {{\"{host}\": \"corp\"}}}}"));
    format!("{}:{}", world.path("bin").display(), std::env::var("PATH").unwrap())
}

#[test]
fn credential_helpers_are_asked_and_named_when_they_fail() {
    for kind in [Kind::Sandbox, Kind::Docker] {
        let Some((world, _registry, host)) = closed(kind) else { continue };
        let answer =
            format!("{{\"ServerURL\": \"$asked\", \"Username\": \"{}\", \"Secret\": \"{}\"}}", LOGIN.0, LOGIN.1);
        let good = format!("test \"$1 $asked\" = \"get {host}\" && cat <<END\n{answer}\nEND");
        let path = helper(&world, &host, &good);
        let run = pulled(&world, &host, &[("PATH", &path)], &["-vv"]);
        assert!(!run.stderr.contains(LOGIN.1), "{run}");
        let mut said = Vec::new();
        for script in [
            "echo credentials not found in native keychain; exit 1".to_owned(),
            "echo the vault is sealed >&2; exit 3".to_owned(),
            format!("cat <<END\n{answer}\nEND\nexit 1"),
            format!("echo '{}'", LOGIN.1),
        ] {
            helper(&world, &host, &script);
            fs_err::remove_dir_all(world.cache()).unwrap();
            let run = pull(&world, &host, &[("PATH", &path)], &[]);
            assert_eq!(run.code, Some(1), "{run}");
            assert!(!run.stderr.contains(LOGIN.1), "{run}");
            said.push(run.stderr);
        }
        fs_err::remove_dir_all(world.path("bin")).unwrap();
        said.push(pull(&world, &host, &[("PATH", &path)], &[]).stderr);
        insta::allow_duplicates! { insta::assert_snapshot!("login-helpers", said.join("\n")); }
    }
}

#[test]
fn identity_tokens_are_posted_and_stay_unseen() {
    let (world, token) = (World::new(), "1dentity-token");
    let host = world.server().address().to_string();
    insecure(&world, &[&host]);
    let rules = |identity_token: &str| TokenRules {
        login: Some((LOGIN.0.to_owned(), LOGIN.1.to_owned())),
        identity_token: Some(identity_token.to_owned()),
        // So that it has to be renewed, and those who get blobs at once do not use up each other's.
        uses: 3,
        ..TokenRules::default()
    };
    world.server().require_tokens(Some(rules(token)));
    let file = format!("{{\"auths\": {{\"{host}\": {{\"auth\": \"\", \"identitytoken\": \"{token}\"}}}}}}");
    world.write("home/.docker/config.json", file);
    let run = pulled(&world, &host, &[], &["-vv"]);
    assert!(!run.stderr.contains(token) && !run.stderr.contains("sandbox-token"), "{run}");
    let asked = world.server().requests_for("/token");
    assert!(asked.len() > 1 && asked.iter().all(|asked| asked == "POST /token"), "{asked:?}");
    world.server().require_tokens(Some(rules("another")));
    fs_err::remove_dir_all(world.cache()).unwrap();
    insta::assert_snapshot!("login-identity-token", pull(&world, &host, &[], &[]).stderr);
}

#[test]
fn a_mirror_s_login_is_looked_up_for_the_mirror() {
    for kind in [Kind::Sandbox, Kind::Docker] {
        let Some((world, _registry, host)) = closed(kind) else { continue };
        world.write("home/.docker/config.json", config(&host, LOGIN));
        let conf = format!(
            "[[registry]]\nprefix = \"origin.invalid\"\ninsecur = true\n[[registry.mirror]]\nlocation = \"{host}\"\n\
             insecure = true\npull-form-mirror = \"all\"\n"
        );
        world.write("registries.conf", conf);
        let run = pulled(&world, "origin.invalid", &[], &[]);
        // What is mistyped is named.
        insta::allow_duplicates! { insta::assert_snapshot!("login-mirror", run.stderr); }
    }
}

#[test]
fn a_helper_that_fails_is_asked_once_for_all_images_of_a_registry() {
    let Some((world, _registry, host)) = closed(Kind::Sandbox) else { return };
    let calls = world.path("calls");
    let path = helper(&world, &host, &format!("echo call >> {}\nsleep 0.3\nexit 3", calls.display()));
    let images: Vec<String> = (0..6).map(|number| format!("{host}/team/app{number}:v1")).collect();
    world.write("many/manifests/imageList", images.join("\n"));
    let kubefile = world.write("many/Kubefile", "FROM scratch\nCOPY manifests .\n");
    let mut command = world.command();
    command.env("PATH", path).args(["build", "-t", "many:v1", "-f"]).arg(kubefile).arg(world.path("many"));
    let run = world.result(&command.output().unwrap());
    assert_eq!(run.code, Some(1), "{run}");
    assert_eq!(run.stderr.matches("cannot get the login").count(), 6, "{run}");
    assert_eq!(fs_err::read_to_string(calls).unwrap(), "call\n");
}
