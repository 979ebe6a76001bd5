use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::types::Source;

fn digest(byte: u8) -> Digest {
    Digest::from_bytes([byte; 32])
}

fn sample() -> Lock {
    let mut lock = Lock::default();
    let (amd64, arm64): (Platform, Platform) = ("linux/amd64".parse().unwrap(), "linux/arm64".parse().unwrap());
    let file = LockedFile { digest: digest(1), size: 62_436_240 };
    lock.insert(Locked::File("https://download.docker.com/docker-19.03.15.tgz".parse().unwrap(), file));
    lock.insert(Locked::File("https://x.io/a%23b?c=d#e: f".parse().unwrap(), file));
    lock.insert(Locked::Image("registry:2.7.1".parse().unwrap(), arm64, Some(digest(2))));
    lock.insert(Locked::Image("registry:2.7.1".parse().unwrap(), amd64.clone(), Some(digest(3))));
    lock.insert(Locked::Image("docker-daemon:mine".parse().unwrap(), amd64.clone(), Some(digest(4))));
    lock.insert(Locked::Image("argoproj.io/v1alpha1:Application".parse().unwrap(), amd64.clone(), None));
    let base = LockedBase { id: digest(0x11).hex().parse().unwrap(), digest: None, layers: vec![digest(5), digest(6)] };
    lock.insert(Locked::Base("kubernetes:v1.19.8".parse().unwrap(), amd64, base));
    lock
}

#[test]
fn a_lock_reads_like_a_list_and_reads_back() {
    let text = sample().to_text();
    insta::assert_snapshot!(text);
    assert_eq!(read_lock(&Source::new("l", &text)).unwrap(), sample());
    assert_eq!(read_lock(&Source::new("l", &Lock::default().to_text())).unwrap(), Lock::default());
}

#[test]
fn every_mistake_in_a_lock_is_told_at_its_place() {
    let text = "\
version: 1
files:
- url: nonsense
  digest: sha256:12
  size: -1
images:
- {image: Registry, platform: linux/amd46, digest: 5}
- {image: nginx, platform: linux/amd64}
- {image: none, platform: linux/amd64, digest: '', refused: true}
baseImages:
- {image: a, platform: linux/amd64, id: x, layers: [z], more: 1}
";
    let shown = |text: &str| {
        let source = Source::new("rawdocker.lock.yaml", text);
        let mistakes = read_lock(&source).unwrap_err();
        mistakes.iter().map(|mistake| mistake.render(&source, false)).collect::<Vec<_>>().join("\n")
    };
    let meaning = text.replace("-1", "1").replace("digest: 5", "digest: '5'").replace(", more: 1", "");
    let sum = digest(1);
    let twice = format!(
        "version: 1\nimages:\n- {{image: nginx, platform: linux/amd64, digest: {sum}}}\n\
         - {{image: docker.io/library/nginx, platform: linux/amd64, digest: {sum}}}\n"
    );
    let all =
        [shown(text), shown(&meaning), shown(&twice), shown("version: 2\n"), shown("# nothing\n")].join("\n===\n");
    insta::assert_snapshot!(all);
}

#[test]
fn a_moved_tag_is_a_change_of_one_line() {
    let (before, mut after) = (sample(), sample());
    let amd64: Platform = "linux/amd64".parse().unwrap();
    after.insert(Locked::Image("registry:2.7.1".parse().unwrap(), amd64.clone(), Some(digest(9))));
    let (old, new) = (before.to_text(), after.to_text());
    assert_eq!(old.lines().zip(new.lines()).filter(|(old, new)| old != new).count(), 1);
    assert_eq!(old.lines().count(), new.lines().count());
    let changes = after.changes_since(&before);
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].name, "docker.io/library/registry:2.7.1");
    assert_eq!((&changes[0].old, &changes[0].new), (&Some(digest(3).to_string()), &Some(digest(9).to_string())));
    after.retain(|entry| matches!(entry, Locked::File(..)));
    assert_eq!(after.changes_since(&before).iter().filter(|change| change.new.is_none()).count(), 5);
    assert_eq!(before.onto(&after, &after), before);
    assert_eq!(before.platforms().len(), 2);
}

#[test]
fn entries_are_named_in_any_spelling_and_by_their_ends() {
    let mut lock = sample();
    let on: Platform = "linux/amd64".parse().unwrap();
    for image in ["quay.io/a/node:v1", "calico/node:v1", "localhost:5000/x:v2"] {
        lock.insert(Locked::Image(image.parse().unwrap(), on.clone(), Some(digest(7))));
    }
    let found = |name: &str| match lock.named(name) {
        Ok(entries) => entries.iter().map(Locked::name).collect::<Vec<_>>().join(" "),
        Err(error) => error.to_string(),
    };
    let registry = "docker.io/library/registry:2.7.1 docker.io/library/registry:2.7.1";
    for (name, expected) in [
        ("registry:2.7.1", registry),
        ("registry", registry),
        ("library/registry", registry),
        ("docker.io/library/registry:2.7.1", registry),
        ("docker-daemon:mine:latest", "docker-daemon:mine:latest"),
        ("kubernetes", "registry.cn-qingdao.aliyuncs.com/sealer-io/kubernetes:v1.19.8"),
        ("x", "localhost:5000/x:v2"),
        ("https://download.docker.com/docker-19.03.15.tgz", "https://download.docker.com/docker-19.03.15.tgz"),
        ("docker-19.03.15.tgz", "https://download.docker.com/docker-19.03.15.tgz"),
        ("node", "`node` could be any of `docker.io/calico/node:v1`, `quay.io/a/node:v1`"),
        ("regsitry", "the lock has no entry `regsitry`: did you mean `registry`?"),
        ("2.7.1", "the lock has no entry `2.7.1`"),
        ("", "the lock has no entry ``"),
    ] {
        assert_eq!(found(name), expected, "{name}");
    }
    // A token in a query stays secret.
    let secret = "https://x.io/a?token=hunter2".parse().unwrap();
    lock.insert(Locked::File(secret, LockedFile { digest: digest(1), size: 1 }));
    let changes = lock.changes_since(&sample());
    assert!(!format!("{changes:?} {:?}", lock.named("tokn")).contains("hunter2"));
}

#[test]
fn a_lock_within_a_plan_reads_back() {
    let json = serde_json::to_value(sample()).unwrap();
    assert_eq!(serde_json::from_value::<Lock>(json.clone()).unwrap(), sample());
    assert_eq!(json["baseImages"][0]["layers"].as_array().unwrap().len(), 2);
    assert_eq!(serde_json::to_string(&Lock::default()).unwrap(), "{}");
    assert!(serde_json::from_str::<Lock>("{\"more\": []}").is_err());
}

#[test]
fn what_two_runs_change_at_once_is_all_kept() {
    let on: Platform = "linux/amd64".parse().unwrap();
    let lock = |entries: &[(&str, u8)]| {
        let mut lock = Lock::default();
        for (name, byte) in entries {
            lock.insert(Locked::Image(name.parse().unwrap(), on.clone(), Some(digest(*byte))));
        }
        lock
    };
    let earlier = lock(&[("same", 1), ("moved", 1), ("dropped", 1), ("theirs-moved", 1), ("theirs-dropped", 1)]);
    let ours = lock(&[("same", 1), ("moved", 2), ("theirs-moved", 1), ("theirs-dropped", 1), ("new", 2), ("both", 2)]);
    let now = lock(&[("same", 1), ("moved", 1), ("dropped", 1), ("theirs-moved", 3), ("theirs-new", 3), ("both", 3)]);
    let both = lock(&[("same", 1), ("moved", 2), ("theirs-moved", 3), ("theirs-new", 3), ("new", 2), ("both", 3)]);
    assert_eq!(ours.onto(&earlier, &now), both);
    assert_eq!(ours.onto(&earlier, &earlier), ours);
    assert_eq!(sample().onto(&Lock::default(), &ours).entries().count(), 7 + 6);
}

#[test]
fn another_list_of_the_same_base_image_is_a_change() {
    let of_registry = |digest| {
        let mut lock = sample();
        lock.bases.values_mut().for_each(|base| base.digest = digest);
        lock
    };
    let (none, old, new) = (of_registry(None), of_registry(Some(digest(8))), of_registry(Some(digest(9))));
    let changes = new.changes_since(&old);
    assert_eq!((&changes[0].old, &changes[0].new), (&Some(digest(8).to_string()), &Some(digest(9).to_string())));
    assert_eq!(changes.len(), 1);
    // Another origin does not make it another image.
    assert_eq!((new.changes_since(&none), none.changes_since(&new)), (vec![], vec![]));
}

#[test]
fn what_is_locked_is_pinned_and_what_was_given_is_locked() {
    let mut lock = sample();
    let ((name, on), base) = lock.bases.iter().next().map(|(key, base)| (key.clone(), base.clone())).unwrap();
    let source = ImageSource::from(name.reference().clone());
    let pins = lock.pins("r.yaml");
    assert_eq!((pins.images.len(), pins.files.len()), (3, 2));
    assert!(pins.by_content.contains(&(source.clone(), on.clone())), "nothing but its layers is known");
    lock.insert(Locked::Base(name.clone(), on.clone(), LockedBase { digest: Some(digest(9)), ..base }));
    let pins = lock.pins("r.yaml");
    assert_eq!(pins.images[&(source, on)], digest(9));
    assert!(pins.by_content.is_empty());
    // A base image that was pulled does not also count as a container image.
    let resolved = crate::sources::Resolved { files: pins.files, images: pins.images, refused: pins.refused };
    assert_eq!(Lock::of_resolved(resolved, &lock), lock);
}

#[test]
fn the_lock_lies_beside_its_recipe() {
    for (recipe, lock) in [
        ("a/rawdocker.yaml", "a/rawdocker.lock.yaml"),
        ("k8s.v1.yml", "k8s.v1.lock.yaml"),
        ("recipe", "recipe.lock.yaml"),
        ("recipe.txt", "recipe.txt.lock.yaml"),
    ] {
        assert_eq!(lock_file_of(Path::new(recipe)), Path::new(lock));
    }
}

proptest! {
    #[test]
    fn whatever_url_is_locked_reads_back(path in "\\PC{0,20}", query in proptest::option::of("[ -~]{0,20}")) {
        let mut url = Url::parse("https://x.io/").unwrap();
        url.set_path(&path);
        url.set_query(query.as_deref());
        let mut lock = Lock::default();
        lock.insert(Locked::File(url, LockedFile { digest: digest(1), size: u64::MAX }));
        prop_assert_eq!(read_lock(&Source::new("l", &lock.to_text())).unwrap(), lock);
    }
}
