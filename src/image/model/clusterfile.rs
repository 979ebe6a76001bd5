//! The Clusterfile that an image carries for `sealer run`.

use serde_json::json;

use crate::edit::{Format, Operation, patch};
use crate::types::SealerName;

/// The annotation with the image's Clusterfile.
pub(crate) const CLUSTERFILE_ANNOTATION: &str = "sea.aliyun.com/ClusterFile";

/// Sealer's default Clusterfile for an image without one, as in the output of its `inspect`.
#[must_use]
pub(crate) fn default_clusterfile(name: &SealerName) -> String {
    format!(
        "apiVersion: sealer.cloud/v2\n\
         kind: Cluster\n\
         metadata:\n\
         \x20 creationTimestamp: null\n\
         \x20 name: my-cluster\n\
         spec:\n\
         \x20 image: {name}\n\
         \x20 ssh:\n\
         \x20   port: \"22\"\n\
         \x20   user: root\n\
         status: {{}}\n"
    )
}

/// A Clusterfile for an image of another name: its `spec.image` says it, as after sealer's `tag`. Nothing else changes.
/// A text that is not a Clusterfile stays as it is.
pub(super) fn clusterfile_of(clusterfile: &str, name: &SealerName) -> String {
    let path = "/spec/image".parse().expect("the pointer is written well");
    let operation = Operation::Add { path, value: json!(name) };
    let patched = patch(clusterfile.as_bytes(), Format::Yaml, None, &[operation]);
    patched.ok().and_then(|text| String::from_utf8(text).ok()).unwrap_or_else(|| clusterfile.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_image_of_a_clusterfile_changes() {
        let (old, new) = ("a:1".parse().unwrap(), "x.com:5000/b/c:v2".parse().unwrap());
        assert_eq!(clusterfile_of(&default_clusterfile(&old), &new), default_clusterfile(&new));
        let custom = |image: &str| {
            format!(
                "kind: Cluster  # ours\nspec:\n  ssh: {{passwd: x}}\n  image: {image}\n  hosts:\n  - ips: [10.0.0.1]\n"
            )
        };
        assert_eq!(clusterfile_of(&custom("some/other:v1"), &new), custom("x.com:5000/b/c:v2"));
        for no_clusterfile in ["", "just words", "kind: Cluster\n", "kind: [", "a: 1\n---\nspec: {image: x}\n"] {
            assert_eq!(clusterfile_of(no_clusterfile, &new), no_clusterfile);
        }
        assert_eq!(clusterfile_of("spec:\n  a: b\n", &new), "spec:\n  a: b\n  image: x.com:5000/b/c:v2\n");
    }
}
