//! What holds for any two images.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::tests::{Tree, diff, fixture};
use super::{Change, FileDiff, ImageDiff};

/// One to three layers of files, folders and whiteouts with few names, so that they meet.
fn layers() -> impl Strategy<Value = Vec<BTreeMap<String, Vec<u8>>>> {
    let path = prop_oneof!["[ab](/[cd])?", "[e-g]!", "[h-i]/", "l->[ab]"];
    let content = prop_oneof![Just(b"x".to_vec()), Just(b"y\n".to_vec()), Just(vec![0, 1]), Just(Vec::new())];
    let layer = prop::collection::btree_map(path, content, 1..6).prop_filter("a file is not a folder", |layer| {
        !layer.keys().any(|path| layer.contains_key(path.split('/').next().unwrap_or_default()) && path.len() > 2)
    });
    prop::collection::vec(layer, 1..4)
}

fn made(layers: &[BTreeMap<String, Vec<u8>>]) -> super::tests::Fixture {
    // One image does not have a layer twice.
    let marks: Vec<String> = (0..layers.len()).map(|number| format!("z{number}")).collect();
    let trees = layers.iter().zip(&marks).map(|(layer, mark)| {
        let files = layer.iter().map(|(path, text)| (path.as_str(), &text[..]));
        files.chain([(mark.as_str(), &b""[..])]).collect()
    });
    let trees: Vec<Vec<(&str, &[u8])>> = trees.collect();
    let trees: Vec<Tree<'_>> = trees.iter().map(|tree| &tree[..]).collect();
    fixture(&trees)
}

/// What is said of each file, and as seen from the other side.
fn said(diff: &ImageDiff, mirror: bool) -> Vec<String> {
    let word = |change: &Change| match (change.word(), mirror) {
        ("added", true) => "removed",
        ("removed", true) => "added",
        (word, _) => word,
    };
    let sides = |file: &FileDiff| {
        let sides = [file.old.clone(), file.new.clone()];
        if mirror {
            let [old, new] = sides;
            [new, old]
        } else {
            sides
        }
    };
    let words = |file: &FileDiff| file.differences.iter().map(|one| word(&one.what)).collect::<Vec<_>>().join(", ");
    diff.files.iter().map(|file| format!("{}: {} {:?}", file.path, words(file), sides(file))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn an_image_is_as_itself_and_the_other_way_round_is_the_mirror_image(old in layers(), new in layers()) {
        let (one, same, other) = (made(&old), made(&old), made(&new));
        prop_assert!(diff(&one, &same).is_same());
        prop_assert_eq!(said(&diff(&one, &other), false), said(&diff(&other, &one), true));
    }
}
