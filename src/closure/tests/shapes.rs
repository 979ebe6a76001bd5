//! The shapes of real manifests, as they are written and with all that they name pointed at the image's own registry.

use super::root::Root;
use crate::manifests::{REGISTRY, SHAPES, Shape, rewritten};

#[test]
fn what_a_shape_names_is_what_is_demanded() {
    let mut words = Vec::new();
    for Shape { name, text, listed } in SHAPES {
        let root = Root::new().file("etc/a.yaml", text).file("manifests/imageList", listed.join("\n"));
        words.push(format!("## {name}"));
        let mut say = |root: &Root| {
            let about = |finding: &&super::Finding| finding.file.as_str() != "manifests/imageList";
            words
                .extend(root.check().findings.iter().filter(about).map(|found| format!("{:?}: {found}", found.weight)));
        };
        say(&root);
        if let Ok(text) = rewritten(text, listed) {
            let listed: Vec<String> = listed.iter().map(|image| format!("{REGISTRY}/{image}")).collect();
            let root = Root::new().file("etc/a.yaml", text).file("manifests/imageList", listed.join("\n"));
            say(&root);
        }
    }
    insta::assert_snapshot!("shapes", words.join("\n"));
}
