//! The page's way, a folder changed by hand and `sealer build`, gives the layers that the recipe gives.

use std::path::Path;

use serde_json::Value;

use super::job::{ALPINE, BASE, CALICO, Job, LISTED, job, succeed};
use super::shell::{copy, run};

/// The page's second Kubefile.
const KUBEFILE: &str = "\
FROM kubernetes-rawdocker:v1.19.8-alpine
COPY imageList manifests
COPY etc .
CMD kubectl apply -f etc/tigera-operator.yaml && kubectl wait --for condition=Established --timeout 60s crd --all && kubectl apply -f etc/custom-resources.yaml
";

fn ids(built: &Value) -> Vec<&str> {
    built["layers"].as_array().unwrap().iter().map(|layer| layer["id"].as_str().unwrap()).collect()
}

/// Steps 2 to 7 of the page: the root file system with other files in three places.
fn first_build(job: &Job, folder: &Path) -> Value {
    let (base, alpine) = (&job.layer_folders(BASE)[0], &job.layer_folders(ALPINE)[0]);
    copy(base, folder);
    for changed in ["cri/docker.tar.gz", "images/registry.tar", "etc/daemon.json"] {
        let differs = fs_err::read(base.join(changed)).unwrap() != fs_err::read(alpine.join(changed)).unwrap();
        assert!(differs, "{changed} is another one");
        copy(&alpine.join(changed), &folder.join(changed));
    }
    // The base image was built by these very lines, and left its Kubefile there.
    assert_eq!(fs_err::read_to_string(folder.join("Kubefile")).unwrap(), "FROM scratch\nCOPY . .\n");
    let mut build = job.sealer("by-hand");
    build.current_dir("/").args(["build", "-m", "lite", "-o", "json", "-t", ALPINE]).arg(folder);
    serde_json::from_str(&succeed(&mut build)).unwrap()
}

/// Steps 5, 6, 8 and 9: a folder with the manifests and the list, on top of what was built first.
fn second_build(job: &Job, folder: &Path) -> Value {
    let made = &job.layer_folders(CALICO)[2];
    fs_err::create_dir(folder).unwrap();
    copy(&made.join("etc"), &folder.join("etc"));
    let list = folder.join("imageList");
    fs_err::write(&list, LISTED.map(|image| format!("{image}\n")).concat()).unwrap();
    // What steps make is as old as everything that has no time of its own.
    run("touch", &["-d".as_ref(), "1980-01-01T00:00:00Z".as_ref(), list.as_ref()]);
    run("chmod", &["0644".as_ref(), list.as_ref()]);
    fs_err::write(folder.join("Kubefile"), KUBEFILE).unwrap();
    let outside = job.outside();
    let mut build = job.sealer("by-hand");
    outside.lead(&mut build);
    build.current_dir("/").args(["build", "-o", "json", "-t", CALICO]).arg(folder);
    serde_json::from_str(&succeed(&mut build)).unwrap()
}

#[test]
fn what_is_built_by_hand_has_the_same_layers() {
    let Some(job) = job() else { return };
    let made = &job.report["images"];
    let folder = tempfile::tempdir_in(job.path("")).unwrap();
    let first = first_build(job, &folder.path().join("rootfs"));
    assert_eq!((ids(&first).len(), ids(&first)), (1, ids(&made[0])));
    let second = second_build(job, &folder.path().join("calico"));
    assert_eq!((ids(&second).len(), ids(&second)), (4, ids(&made[1])));
    assert_eq!(second["cachedImages"], made[1]["cachedImages"]);
    for name in ["by-hand", "by-hand-cache"] {
        fs_err::remove_dir_all(job.path(name)).unwrap();
    }
}
