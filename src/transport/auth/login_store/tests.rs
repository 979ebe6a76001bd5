//! Files with logins before and after: their bytes, modes and places.

use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::*;
use crate::transport::{Credentials as _, Login, Logins, Secret};

fn accepted(username: &str) -> Accepted {
    let login = Login { username: username.to_owned(), password: Secret::new("pass") };
    Accepted { login, identity_token: None, was_asked: true }
}

fn places(folder: &Path) -> AuthPlaces {
    let usual = ["run/auth.json", "home/config.json"].map(|name| folder.join(name)).to_vec();
    AuthPlaces { named: None, usual, helper_limit: Duration::from_mins(1) }
}

fn write(path: &Path, text: &str, mode: u32) {
    fs_err::create_dir_all(path.parent().unwrap()).unwrap();
    fs_err::write(path, text).unwrap();
    fs_err::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    fs_err::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// Text and mode of a file; nothing where it is not there.
fn shown(path: &Path) -> String {
    fs_err::read_to_string(path).map_or_else(|_| "none".to_owned(), |text| format!("{:o} {text}", mode(path)))
}

fn keep(places: &AuthPlaces, scope: &str, username: &str) -> Stored {
    LoginStore::open(places.clone()).unwrap().put(&scope.parse().unwrap(), &accepted(username)).unwrap()
}

fn forget(places: &AuthPlaces, scope: &str) -> Erased {
    LoginStore::open(places.clone()).unwrap().erase(&scope.parse().unwrap()).unwrap()
}

/// Whose login the reader finds.
fn reader(places: &AuthPlaces, registry: &str, repository: &str) -> Option<String> {
    Logins::load(places).unwrap().login(registry, repository).unwrap().map(|known| known.proof.whose())
}

fn file_of(place: &LoginLocation) -> PathBuf {
    PathBuf::from(&place.file)
}

#[test]
fn a_login_goes_where_it_counts_and_is_closed_to_others() {
    let folder = tempfile::tempdir().unwrap();
    let mut places = places(folder.path());
    let (run, home) = (places.usual[0].clone(), places.usual[1].clone());
    // Docker's file, where there is none.
    let kept = keep(&places, "r.example", "bob");
    assert_eq!((file_of(&kept.place), kept.place.was_open), (home.clone(), None));
    assert_eq!((mode(&home), mode(home.parent().unwrap())), (0o600, 0o700));
    // The one that is there, with what is in it.
    let text = "{\n  \"auths\": {\n    \"other.example\": {\"auth\":\"YTpi\"}\n  },\n  \"psFormat\": \"x\"\n}\n";
    write(&run, text, 0o644);
    let kept = keep(&places, "r.example", "eve");
    assert_eq!((file_of(&kept.place), kept.place.was_open), (run.clone(), Some(0o644)));
    let entry = "{\n      \"auth\": \"ZXZlOnBhc3M=\"\n    }";
    let expected = text.replace("}\n  },", &format!("}},\n    \"r.example\": {entry}\n  }},"));
    assert_eq!(shown(&run), format!("600 {expected}"));
    assert_eq!(reader(&places, "r.example", "a/b").as_deref(), Some("`eve`"));
    // The same once more changes nothing.
    let before = fs_err::metadata(&run).unwrap();
    assert_eq!(keep(&places, "r.example", "eve").place.was_open, None);
    assert_eq!(
        std::os::unix::fs::MetadataExt::ino(&before),
        std::os::unix::fs::MetadataExt::ino(&fs_err::metadata(&run).unwrap())
    );
    // The one that is named, which may not be there yet.
    places.named = Some(folder.path().join("new/auth.json"));
    assert!(forget(&places, "r.example").places.is_empty());
    keep(&places, "r.example", "sue");
    assert_eq!(reader(&places, "r.example", "a/b").as_deref(), Some("`sue`"));
    places.named = None;
    // A logout is one from wherever a login would be found.
    let forgotten = forget(&places, "r.example");
    assert_eq!(forgotten.places.iter().map(file_of).collect::<Vec<_>>(), [run.clone(), home.clone()]);
    assert_eq!(shown(&run), format!("600 {text}"));
    assert_eq!(reader(&places, "r.example", "a/b"), None);
    assert_eq!(forget(&places, "r.example"), Erased::default());
    // A file that says nothing of it is left alone.
    write(&run, text, 0o644);
    forget(&places, "r.example");
    assert_eq!(shown(&run), format!("644 {text}"));
}

#[test]
fn symlinks_stay_and_lead_to_what_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let places = places(folder.path());
    let (home, real) = (places.usual[1].clone(), folder.path().join("dotfiles/docker.json"));
    fs_err::create_dir_all(home.parent().unwrap()).unwrap();
    fs_err::create_dir_all(folder.path().join("dotfiles")).unwrap();
    symlink("link.json", &home).unwrap();
    symlink("../dotfiles/docker.json", home.with_file_name("link.json")).unwrap();
    // Also where there is nothing yet.
    let kept = keep(&places, "r.example", "bob");
    assert_eq!(file_of(&kept.place), home, "as the user knows it");
    for user in ["bob", "eve"] {
        keep(&places, "r.example", user);
        assert!(fs_err::symlink_metadata(&home).unwrap().is_symlink());
        assert!(fs_err::symlink_metadata(&real).unwrap().is_file());
        assert_eq!((reader(&places, "r.example", "x"), mode(&real)), (Some(format!("`{user}`")), 0o600));
    }
    // A folder may be one too.
    fs_err::rename(home.parent().unwrap(), folder.path().join("elsewhere")).unwrap();
    symlink("elsewhere", home.parent().unwrap()).unwrap();
    keep(&places, "r.example", "sue");
    assert_eq!(reader(&places, "r.example", "x").as_deref(), Some("`sue`"));
    fs_err::remove_file(&real).unwrap();
    symlink("docker.json", &real).unwrap();
    let circle = LoginStore::open(places).unwrap_err();
    let cause = std::error::Error::source(&circle).unwrap().to_string();
    assert!(cause.ends_with("home/config.json`: Too many levels of symbolic links (os error 40)"), "{cause}");
}

#[test]
fn one_registry_has_one_login_however_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let places = places(folder.path());
    let home = places.usual[1].clone();
    let text = r#"{"auths": {"docker.io": {"auth": "b2xkOm9uZQ=="}, "docker.io/me": {"auth": "YTpi"}, "quay.io": {}}}"#;
    write(&home, text, 0o600);
    let kept = keep(&places, "docker.io", "bob");
    assert_eq!((kept.replaced, kept.parts), (vec!["docker.io".to_owned()], vec!["docker.io/me".to_owned()]));
    let expected = r#"{"auths": {"docker.io/me": {"auth": "YTpi"}, "quay.io": {}, "https://index.docker.io/v1/": {"auth": "Ym9iOnBhc3M="}}}"#;
    assert_eq!(shown(&home), format!("600 {expected}"));
    assert_eq!(reader(&places, "docker.io", "library/nginx").as_deref(), Some("`bob`"));
    assert_eq!(reader(&places, "docker.io", "me/app").as_deref(), Some("`a`"));

    // A part of a registry is a login of its own.
    keep(&places, "docker.io/me", "me");
    keep(&places, "quay.io/team", "team");
    assert_eq!(reader(&places, "docker.io", "me/app").as_deref(), Some("`me`"));
    assert_eq!(
        (reader(&places, "quay.io", "team/x").as_deref(), reader(&places, "quay.io", "x")),
        (Some("`team`"), None)
    );
    let forgotten = forget(&places, "docker.io");
    assert_eq!(forgotten.parts, [("docker.io/me".to_owned(), home.to_string_lossy().into_owned())]);
    assert_eq!(reader(&places, "docker.io", "me/app").as_deref(), Some("`me`"));
    forget(&places, "docker.io/me");
    forget(&places, "quay.io/team");
    assert_eq!(shown(&home), "600 {\"auths\": {\"quay.io\": {}}}");
}

#[test]
fn identity_tokens_are_kept_with_whose_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let places = places(folder.path());
    let store = LoginStore::open(places.clone()).unwrap();
    let accepted = Accepted { identity_token: Some(Secret::new("idt")), ..accepted("bob") };
    store.put(&"r.example".parse().unwrap(), &accepted).unwrap();
    let text = fs_err::read_to_string(&places.usual[1]).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["auths"]["r.example"], serde_json::json!({"auth": "Ym9iOg==", "identitytoken": "idt"}));
    assert_eq!(reader(&places, "r.example", "x").as_deref(), Some("an identity token"));
}

#[test]
fn what_cannot_be_understood_or_written_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let places = places(folder.path());
    let home = places.usual[1].clone();
    let mut said = Vec::new();
    for text in [
        "{\"auths\": {\n  \"a\": {\"auth\": \"c2VjcmV0\"}}}",
        "{\"auths\": {\"a\": {}, \"a\": {}}}",
        "{\"auths\": [",
        "[]",
    ] {
        write(&home, text, 0o644);
        let error = LoginStore::open(places.clone()).unwrap_err();
        said.push(error.to_string().replace(&folder.path().display().to_string(), "F"));
        assert_eq!(shown(&home), format!("644 {text}"));
    }
    insta::assert_snapshot!(said.join("\n"), @"
    F/home/config.json:2:17: the `auth` of `a` is not USER:PASSWORD in base64
    F/home/config.json:1:21: the key `a` is in the object twice
    F/home/config.json:1:12: the text ends, expected a value
    F/home/config.json:1:1: a file with logins is a JSON object
    ");
    // It broke, or became something else, after it was looked at.
    write(&home, "{}", 0o600);
    let store = LoginStore::open(places.clone()).unwrap();
    write(&home, "{", 0o600);
    store.put(&"r.example".parse().unwrap(), &accepted("bob")).unwrap_err();
    assert_eq!(shown(&home), "600 {");
    fs_err::remove_file(&home).unwrap();
    fs_err::create_dir(&home).unwrap();
    let error = store.put(&"r.example".parse().unwrap(), &accepted("bob")).unwrap_err();
    assert!(std::error::Error::source(&error).unwrap().to_string().ends_with("is not a file"), "{error:?}");
}

#[test]
fn what_a_dead_one_left_behind_is_replaced_and_others_writes_are_seen() {
    let folder = tempfile::tempdir().unwrap();
    let places = places(folder.path());
    let home = places.usual[1].clone();
    write(&home, "{}", 0o600);
    write(&home.with_file_name(".config.json.part"), "half", 0o644);
    keep(&places, "r.example", "bob");
    let names = |path: &Path| fs_err::read_dir(path.parent().unwrap()).unwrap().count();
    assert_eq!(names(&home), 1);
    // Somebody without our lock writes between our reading and our writing: their login stays.
    let file = LoginFile::find(&home).unwrap();
    let mut writes = 0;
    file.change(|text, _| {
        writes += 1;
        if writes == 1 {
            write(&home, r#"{"auths": {"docker.example": {}}}"#, 0o600);
        }
        edited(text, Some(("r.example", &serde_json::json!({}))), &[])
    })
    .unwrap();
    assert_eq!((writes, shown(&home).as_str()), (2, "600 {\"auths\": {\"docker.example\": {}, \"r.example\": {}}}"));
    // Never for ever.
    let error = file.change(|text, _| {
        write(&home, &format!("{text} "), 0o600);
        edited(text, Some(("x.example", &serde_json::json!({}))), &[])
    });
    assert!(matches!(error, Err(LoginStoreError::Restless { .. })));
    assert_eq!(names(&home), 1);
}
