//! Debian's skopeo: another client of registries and archives.

use std::process::Command;

/// Runs `skopeo ARGS…` without a signature policy: stdout, or stderr where it fails.
pub(crate) fn skopeo(args: &[&str]) -> Result<String, String> {
    let output = Command::new("skopeo").arg("--insecure-policy").args(args).output();
    let output = output.map_err(|error| error.to_string())?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(String::from_utf8_lossy(&output.stderr).into_owned())
}
