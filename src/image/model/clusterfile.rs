//! The Clusterfile that an image carries for `sealer run`.

use crate::words::SealerName;

/// The annotation that holds the image's Clusterfile.
pub const CLUSTERFILE_ANNOTATION: &str = "sea.aliyun.com/ClusterFile";

/// The Clusterfile that sealer gives an image that brings none, as golden's inspect shows it.
#[must_use]
pub fn default_clusterfile(name: &SealerName) -> String {
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
