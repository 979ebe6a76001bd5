use super::*;
use crate::image::model::{ImageConfig, LayerKind};
use crate::image::{Manifest, ManifestKind};
use crate::types::Platform;

/// A document of an image that a real sealer pushed; none where the golden data is not at hand.
fn golden(name: &str) -> Option<Vec<u8>> {
    crate::types::golden::shared(&format!("golden/push/{name}"))
}

fn named(text: &str, media_type: &str) -> Descriptor {
    Descriptor { media_type: media_type.to_owned(), digest: Digest::of(text.as_bytes()), size: text.len() as u64 }
}

fn platform(text: &str) -> Platform {
    text.parse().unwrap()
}

#[test]
fn the_documents_are_those_of_a_real_sealer_byte_for_byte() {
    let (Some(list), Some(manifest)) = (golden("manifest-list.json"), golden("manifest.json")) else { return };
    let ManifestKind::Image { config, layers } = Manifest::parse(&manifest, None).unwrap().kind else { panic!() };
    let bytes = golden(&format!("blobs/{}", config.digest.hex())).unwrap();
    let image = Image::from_json(&bytes).unwrap();
    assert_eq!(String::from_utf8(pushed_config(&image)).unwrap(), String::from_utf8(bytes).unwrap());
    assert_eq!((&*config.media_type, layers[0].media_type.as_str()), (CONFIG_TYPE, LAYER_TYPE));
    let ours = pushed_manifest(&config, &layers);
    assert_eq!(ours.bytes, manifest);
    let merged = merged_list(None, &[(image.platform.clone(), ours.descriptor.clone())]);
    // All but the size, which is the image's there and the manifest's here.
    let theirs = String::from_utf8(list).unwrap().replace("363700", &manifest.len().to_string());
    assert_eq!(String::from_utf8(merged.bytes).unwrap(), theirs);
}

#[test]
fn a_config_names_variant_and_history_and_escapes_as_go_does() {
    let layer = |id, kind, value: &str| Layer { id, kind, value: value.to_owned() };
    let layers =
        vec![layer(Some(Digest::of(b"a")), LayerKind::Copy, ". ."), layer(None, LayerKind::Cmd, "a && b > \u{2028}")];
    let name = "x.com/a:1".parse().unwrap();
    let image =
        Image::new(&name, platform("linux/arm64"), layers, ImageConfig::default(), std::collections::BTreeMap::new());
    let config = String::from_utf8(pushed_config(&image)).unwrap();
    let end = r#""architecture":"arm64","os":"linux","history":[{"created_by":"COPY . ."},{"created_by":"CMD a \u0026\u0026 b \u003e \u2028","empty_layer":true}],"variant":"v8"}"#;
    assert!(config.ends_with(end), "{config}");
    assert_eq!(Image::from_json(config.as_bytes()).unwrap(), image);
}

#[test]
fn a_list_keeps_other_platforms_and_is_the_same_in_whatever_order_they_came() {
    let docker = crate::image::MANIFEST_TYPES[1];
    let [amd, arm, arm_new] = ["amd", "arm", "arm new"].map(|text| named(text, docker));
    let (on_amd, on_arm) = (platform("linux/amd64"), platform("linux/arm64"));
    let amd_first = merged_list(None, &[(on_amd.clone(), amd.clone())]);
    let arm_first = merged_list(None, &[(on_arm.clone(), arm.clone())]);
    let both = merged_list(Some(&amd_first.bytes), &[(on_arm.clone(), arm.clone())]);
    assert_eq!(both, merged_list(Some(&arm_first.bytes), &[(on_amd.clone(), amd.clone())]));
    assert_eq!(both, merged_list(None, &[(on_arm.clone(), arm.clone()), (on_amd.clone(), amd.clone())]));
    assert_eq!(both, merged_list(Some(&both.bytes), &[(on_arm.clone(), arm)]));
    let renewed = merged_list(Some(&both.bytes), &[(on_arm.clone(), arm_new.clone())]);
    assert_eq!(renewed, merged_list(None, &[(on_amd, amd), (on_arm, arm_new)]));
    let ManifestKind::List(entries) = Manifest::parse(&renewed.bytes, None).unwrap().kind else { panic!() };
    let shown: Vec<String> = entries.iter().map(|entry| entry.platform.as_ref().unwrap().to_string()).collect();
    assert_eq!(shown, ["linux/amd64", "linux/arm64"]);
}

#[test]
fn entries_of_others_stay_as_they_are_without_what_was_said_of_a_manifest_that_goes() {
    let there = r#"{"schemaVersion": 2, "manifests": [
        {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": "sha256:bb", "size": 2, "more": 1,
         "platform": {"architecture": "s390x", "os": "linux"}},
        {"mediaType": "x", "digest": "sha256:aa", "size": 1, "platform": {"architecture": "amd64", "os": "linux"}},
        {"mediaType": "x", "digest": "sha256:cc", "size": 3, "platform": {"architecture": "unknown", "os": "unknown"},
         "annotations": {"vnd.docker.reference.digest": "sha256:aa"}},
        {"mediaType": "x", "digest": "sha256:dd", "size": 3, "platform": {"architecture": "unknown", "os": "unknown"},
         "annotations": {"vnd.docker.reference.digest": "sha256:bb"}}]}"#;
    let ours = named("amd", crate::image::MANIFEST_TYPES[1]);
    let merged = merged_list(Some(there.as_bytes()), &[(platform("linux/amd64"), ours.clone())]);
    let merged: Value = serde_json::from_slice(&merged.bytes).unwrap();
    let entries = merged["manifests"].as_array().unwrap();
    let digests: Vec<&str> = entries.iter().map(|entry| entry["digest"].as_str().unwrap()).collect();
    assert_eq!(digests, [&*ours.digest.to_string(), "sha256:bb", "sha256:dd"]);
    assert_eq!(entries[1]["more"], 1);
}

#[test]
fn a_referrer_names_its_subject_and_the_index_each_referrer_once() {
    let subject = named("list", crate::image::MANIFEST_TYPES[0]);
    let referrer = referrer_manifest(&subject, "application/x", &named("blob", "text/plain"));
    insta::assert_snapshot!(String::from_utf8(referrer.manifest.bytes.clone()).unwrap());
    let other = referrer_manifest(&subject, "application/y", &named("blob", "text/plain"));
    let one = merged_referrers(None, &referrer);
    assert_eq!(one, merged_referrers(Some(&one.bytes), &referrer));
    let two = merged_referrers(Some(&one.bytes), &other);
    insta::assert_snapshot!(String::from_utf8(two.bytes).unwrap());
    assert_eq!(
        referrers_tag(Digest::of(b"")),
        "sha256-e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
}
