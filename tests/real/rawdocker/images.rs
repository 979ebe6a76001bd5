//! What the store says of the two images, and that the job done again gives them again.

use serde_json::{Value, json};

use super::job::{ALPINE, BASE, CALICO, PREFIX, job, succeed};

#[test]
fn the_store_lists_the_base_and_both_images() {
    let Some(job) = job() else { return };
    let listed: Value = serde_json::from_str(&succeed(job.sealer("root").args(["images", "-o", "json"]))).unwrap();
    let listed: Vec<Value> =
        listed.as_array().unwrap().iter().map(|image| json!([image["name"], image["id"], image["platform"]])).collect();
    let golden = "a032968b0402fd364f02c7975e396501f57e1d0f525629a95a39bbd86afcad67";
    let image = |name: &str, id: &Value| json!([format!("{PREFIX}{name}"), id, "linux/amd64"]);
    let made = &job.report["images"];
    let mut expected =
        [image(BASE, &golden.into()), image(ALPINE, &made[0]["id"]), image(CALICO, &made[1]["id"])].to_vec();
    let key = |image: &Value| image[0].as_str().unwrap().to_owned();
    expected.sort_by_key(key);
    let mut listed = listed;
    listed.sort_by_key(key);
    assert_eq!(listed, expected);
}

#[test]
fn their_documents_say_what_the_page_s_kubefiles_say() {
    let Some(job) = job() else { return };
    let base = ("COPY", ". .");
    let all = [base, ("COPY", "imageList manifests"), ("COPY", "etc ."), ("BASE", "registry cache")];
    for (index, image, layers) in [(0, ALPINE, &all[..1]), (1, CALICO, &all[..])] {
        let document = job.inspect(image);
        let made = &job.report["images"][index];
        assert_eq!(document["metadata"]["name"], format!("{PREFIX}{image}"));
        assert_eq!(document["spec"]["id"], made["id"]);
        assert_eq!(document["spec"]["platform"], json!({"architecture": "amd64", "os": "linux"}));
        let described: Vec<_> = document["spec"]["layers"].as_array().unwrap().iter().collect();
        let words = described.iter().map(|layer| (layer["type"].as_str().unwrap(), layer["value"].as_str().unwrap()));
        assert_eq!(words.collect::<Vec<_>>(), layers);
        let ids = made["layers"].as_array().unwrap().iter().map(|layer| &layer["id"]);
        assert_eq!(described.iter().map(|layer| &layer["id"]).collect::<Vec<_>>(), ids.collect::<Vec<_>>());
        let cluster = document["metadata"]["annotations"]["sea.aliyun.com/ClusterFile"].as_str().unwrap();
        assert!(cluster.contains(&format!("  image: {PREFIX}{image}\n")), "{cluster}");
    }
    let command = "kubectl apply -f etc/tigera-operator.yaml && \
                   kubectl wait --for condition=Established --timeout 60s crd --all && \
                   kubectl apply -f etc/custom-resources.yaml";
    assert_eq!(job.inspect(CALICO)["spec"]["image_config"], json!({"args": {}, "cmd": {"current": [command]}}));
    assert_eq!(job.inspect(ALPINE)["spec"]["image_config"], json!({"args": {}, "cmd": {}}));
}

/// The archive of real size is what threads can differ on: it is packed in many blocks.
#[test]
fn one_thread_and_an_empty_cache_give_the_same_images() {
    let Some(job) = job() else { return };
    let archive = crate::support::shared_file("golden/kubernetes-v1.19.8.save.tar").unwrap();
    succeed(job.sealer("alone").arg("load").arg("-i").arg(archive));
    let report = job.apply(&job.outside(), "alone", &["--threads", "1"]);
    assert_eq!(report["images"], job.report["images"]);
    assert_eq!(report["downloadedBytes"], job.report["downloadedBytes"]);
    for name in ["alone", "alone-cache"] {
        fs_err::remove_dir_all(job.path(name)).unwrap();
    }
}
