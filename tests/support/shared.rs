//! Golden data that lies beside the project and is never copied into it.

use std::path::{Path, PathBuf};

/// A file or folder of the golden data: `golden/kubernetes-v1.19.8.save.tar`.
///
/// It is looked for in the folder that `SEALER_SHARED` names, else in `shared` beside the project.
pub(crate) fn shared_file(name: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let folder = std::env::var_os("SEALER_SHARED").map_or_else(beside, PathBuf::from);
    let path = folder.join(name);
    if path.exists() {
        return Some(path);
    }
    super::missing(&format!("`{}`", path.display()));
    None
}
