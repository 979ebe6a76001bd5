//! Tables of settings and what they lead to.

use super::*;

fn conf(text: &str) -> RegistriesConf {
    RegistriesConf::from_text(&Source::new("registries.conf", text)).unwrap()
}

fn asked(conf: &RegistriesConf, reference: &str) -> String {
    let endpoints = match conf.endpoints(&reference.parse().unwrap()) {
        Ok(endpoints) => endpoints,
        Err(error) => return error.to_string(),
    };
    let shown = endpoints.iter().map(|Endpoint { host, repository, insecure }| {
        format!("{host}/{repository}{}", if *insecure { " (insecure)" } else { "" })
    });
    shown.collect::<Vec<_>>().join(", ")
}

const RULES: &str = r#"
unqualified-search-registries = ["docker.io"]
short-name-mode = "enforcing"

[[registry]]
location = "docker.io"
[[registry.mirror]]
location = "mirror.example:5000/hub/"
insecure = true
[[registry.mirror]]
location = "docker.io"

[[registry]]
prefix = "docker.io/calico"
location = "quay.io/calico"

[[registry]]
prefix = "docker.io/calico/node"
location = "local:5000/n"
insecure = true

[[registry]]
prefix = "bad.example/evil"
blocked = true

[[registry]]
prefix = "*.example.com"

[[registry]]
prefix = "*.corp.example.com"
location = "proxy.corp/all"

[[registry]]
prefix = "by-digest.io"
mirror-by-digest-only = true
[[registry.mirror]]
location = "m1.io"

[[registry]]
prefix = "each.io"
[[registry.mirror]]
location = "digest.io"
pull-from-mirror = "digest-only"
[[registry.mirror]]
location = "tag.io"
pull-from-mirror = "tag-only"
[[registry.mirror]]
location = "all.io"
pull-from-mirror = "all"
"#;

#[test]
fn the_longest_prefix_leads_to_mirrors_and_location() {
    let conf = conf(RULES);
    let digest = "@sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";
    for (reference, expected) in [
        ("k8s.gcr.io/pause:3.1", "k8s.gcr.io/pause"),
        (
            "nginx",
            "mirror.example:5000/hub/library/nginx (insecure), registry-1.docker.io/library/nginx, \
             registry-1.docker.io/library/nginx",
        ),
        ("calico/cni:v3", "quay.io/calico/cni"),
        ("calico/node:v3", "local:5000/n (insecure)"),
        ("calico/node-driver:v3", "quay.io/calico/node-driver"),
        (
            "docker.io/calicox/cni",
            "mirror.example:5000/hub/calicox/cni (insecure), registry-1.docker.io/calicox/cni, registry-1.docker.io/calicox/cni",
        ),
        ("bad.example/evil/x", "`bad.example/evil` is blocked in registries.conf"),
        ("bad.example/evil", "`bad.example/evil` is blocked in registries.conf"),
        ("bad.example/evilly", "bad.example/evilly"),
        ("a.example.com/x/y", "a.example.com/x/y"),
        ("a.corp.example.com/x/y", "proxy.corp/all/x/y"),
        ("corp.example.com/x", "corp.example.com/x"),
        ("other.io/x.corp.example.com/y", "other.io/x.corp.example.com/y"),
        ("by-digest.io/x:1", "by-digest.io/x"),
        (&format!("by-digest.io/x{digest}"), "m1.io/x, by-digest.io/x"),
        ("each.io/x:1", "tag.io/x, all.io/x, each.io/x"),
        (&format!("each.io/x:1{digest}"), "digest.io/x, all.io/x, each.io/x"),
    ] {
        assert_eq!(asked(&conf, reference), expected, "{reference}");
    }
    assert_eq!(asked(&RegistriesConf::default(), "nginx"), "registry-1.docker.io/library/nginx");
}

#[test]
fn a_whole_host_may_be_insecure() {
    let conf = conf("[[registry]]\nlocation='a:5000'\ninsecure=true\n[[registry]]\nlocation='b/x'\ninsecure=true");
    assert_eq!(["a:5000", "a", "b"].map(|host| conf.is_insecure(host)), [true, false, false]);
}

#[test]
fn mistakes_are_shown_where_they_stand() {
    let messages: Vec<String> = [
        "[[registry]]\nlocation = 5\n",
        "[[registry]\n",
        "# old\n[registries.search]\nregistries = ['docker.io']\n",
        "[[registry]]\ninsecure = true\n",
        "[[registry]]\nlocation = 'https://quay.io'\n",
        "[[registry]]\nlocation = 'quay.io'\n\n[[registry]]\nprefix = 'quay.io'\n",
        "[[registry]]\nlocation = 'quay.io'\n[[registry.mirror]]\ninsecure = true\n",
        "[[registry]]\nlocation = 'quay.io'\n[[registry.mirror]]\nlocation = 'a'\npull-from-mirror = 'never'\n",
        "[[registry]]\nlocation = 'q'\nmirror-by-digest-only=true\n[[registry.mirror]]\nlocation = 'a'\npull-from-mirror = 'all'\n",
        "[[registry]]\nprefix = 'quay.io/x:tag'\nblocked = true\n",
        "[[registry]]\nprefix = '*.io'\nlocation = '*.com'\n",
        "[[registry]]\nprefix = 'quay.io/../x'\n",
    ]
    .iter()
    .map(|text| RegistriesConf::from_text(&Source::new("r.conf", text)).unwrap_err())
    .map(|error| error.help().into_iter().fold(error.to_string(), |text, help| format!("{text}\n    {help}")))
    .collect();
    insta::assert_snapshot!(messages.join("\n"), @"
    r.conf:2:12: invalid type: integer `5`, expected a string
    r.conf:1:12: unclosed array table, expected `]`
    r.conf:2:2: this is version 1 of registries.conf, which is not supported
        write `[[registry]]` tables, containers-registries.conf(5)
    r.conf:1:1: a `[[registry]]` needs `prefix` or `location`
    r.conf:2:12: `https://quay.io` has a scheme; remove it, and write `insecure = true` for http
    r.conf:4:1: `quay.io` already has a `[[registry]]`
    r.conf:3:1: a `[[registry.mirror]]` needs `location`
    r.conf:5:20: unknown value `never` of `pull-from-mirror`
    r.conf:6:20: `pull-from-mirror` and `mirror-by-digest-only = true` exclude each other
    r.conf:2:10: `quay.io/x:tag` is not `HOST[:PORT][/PATH]`; tags and digests are not supported here
    r.conf:3:12: `*.com` is not `HOST[:PORT][/PATH]`
    r.conf:2:10: `quay.io/../x` is not `HOST[:PORT][/PATH]`
    ");
}

#[test]
fn what_does_nothing_is_named() {
    let text = "short-name-mode = 'enforcing'\nunqualified-search-registries = ['docker.io']\n\
        credential-helpers = ['secretservice']\n[aliases]\nx = 'y/x'\n[[registry]]\nlocation = 'a'\nblockd = true\n\
        [[registry.mirror]]\nlocation = 'b'\nblocked = true\n[extra]\nregistry = 1\n";
    insta::assert_snapshot!(conf(text).warnings().join("\n"), @"
    registries.conf:3:1: `credential-helpers` in registries.conf is unknown and is ignored; name helpers in auth.json or Docker's config.json, `credHelpers`
    registries.conf:8:1: `blockd` of `[[registry]]` is unknown and is ignored; did you mean `blocked`?
    registries.conf:11:1: `blocked` of `[[registry.mirror]]` is unknown and is ignored
    registries.conf:12:2: `extra` in registries.conf is unknown and is ignored
    ");
    assert_eq!(conf(RULES).warnings(), [] as [String; 0]);
}

#[test]
fn a_named_file_is_the_only_one_and_a_users_file_hides_the_systems() {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, location: &str| {
        let path = folder.path().join(path);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, format!("[[registry]]\nprefix = 'docker.io'\nlocation = '{location}'\n")).unwrap();
    };
    let mut places = ConfigPlaces {
        named: None,
        user: Some(folder.path().join("user")),
        system: Some(folder.path().join("system")),
    };
    let found = |places: &ConfigPlaces| asked(&RegistriesConf::load(places).unwrap(), "a/b");
    assert_eq!(found(&places), "registry-1.docker.io/a/b");
    for (path, location) in [
        ("system/registries.conf", "system"),
        ("system/registries.conf.d/20.conf", "system-20"),
        ("system/registries.conf.d/10.conf", "system-10"),
        ("system/registries.conf.d/30.conf.bak", "bak"),
    ] {
        write(path, location);
    }
    assert_eq!(found(&places), "system-20/a/b");
    write("user/registries.conf.d/05.conf", "user-05");
    assert_eq!(found(&places), "user-05/a/b");
    fs_err::remove_file(folder.path().join("user/registries.conf.d/05.conf")).unwrap();
    write("user/registries.conf", "user");
    assert_eq!(found(&places), "user/a/b");
    write("named.conf", "named");
    places.named = Some(folder.path().join("named.conf"));
    assert_eq!(found(&places), "named/a/b");
    places.named = Some(folder.path().join("missing.conf"));
    assert!(matches!(RegistriesConf::load(&places), Err(ConfError::Read(_))));
}

#[test]
fn a_login_goes_to_the_registry_itself_and_insecurely_only_where_that_is_said() {
    let conf = conf(
        r#"
        [[registry]]
        location = "plain.example:5000"
        insecure = true
        [[registry]]
        location = "plain.example:5000/safe"
        [[registry]]
        prefix = "quay.io"
        location = "cache.example/quay"
        insecure = true
        [[registry.mirror]]
        location = "mirror.example"
        insecure = true
        [[registry]]
        prefix = "*.lab.example"
        insecure = true
        [[registry]]
        location = "b.lab.example"
        [[registry]]
        prefix = "blocked.example"
        blocked = true
        "#,
    );
    for (scope, insecure) in [
        ("plain.example:5000", true),
        ("plain.example:5000/team", true),
        ("plain.example:5000/safe", false),
        ("plain.example", false),
        ("quay.io", false),
        ("cache.example", false),
        ("cache.example/quay", true),
        ("mirror.example", true),
        ("a.lab.example:5000", true),
        ("b.lab.example", false),
        ("lab.example", false),
    ] {
        let endpoint = conf.login_endpoint(&scope.parse().unwrap()).unwrap();
        assert_eq!((endpoint.name(), endpoint.insecure), (scope.split('/').next().unwrap(), insecure), "{scope}");
    }
    let hub = conf.login_endpoint(&"docker.io".parse().unwrap()).unwrap();
    assert_eq!(hub.host, "registry-1.docker.io");
    let blocked = conf.login_endpoint(&"blocked.example/a".parse().unwrap()).unwrap_err();
    assert_eq!(blocked.to_string(), "`blocked.example` is blocked in registries.conf");
}
