//! Tables of documents, good and bad.

use super::*;

fn digest(byte: u8) -> Digest {
    Digest::from_bytes([byte; 32])
}

fn entry(byte: u8, platform: &str) -> String {
    let digest = digest(byte);
    format!(r#"{{"mediaType":"{OCI_IMAGE}","digest":"{digest}","size":7{platform}}}"#)
}

fn at(os: &str, architecture: &str, variant: &str) -> String {
    format!(r#","platform":{{"os":"{os}","architecture":"{architecture}","variant":"{variant}"}}"#)
}

fn list_of(platforms: &[(&str, &str, &str)]) -> Vec<PlatformManifest> {
    let entries: Vec<String> = platforms
        .iter()
        .zip(0..)
        .map(|((os, architecture, variant), byte)| entry(byte, &at(os, architecture, variant)))
        .collect();
    let text = format!(r#"{{"schemaVersion":2,"manifests":[{}]}}"#, entries.join(","));
    match Manifest::parse(text.as_bytes(), Some(OCI_LIST)).unwrap().kind {
        ManifestKind::List(entries) => entries,
        ManifestKind::Image { .. } => panic!("an image"),
    }
}

#[test]
fn types_of_header_field_and_content_must_agree() {
    let blob = entry(1, "");
    let image = |field: &str| format!(r#"{{"schemaVersion":2{field},"config":{blob},"layers":[{blob}]}}"#);
    let list = |field: &str| format!(r#"{{"schemaVersion":2{field},"manifests":[{blob}]}}"#);
    let field = |media_type: &str| format!(r#","mediaType":"{media_type}""#);
    for (text, header, expected) in [
        (image(""), None, Ok(OCI_IMAGE)),
        (image(""), Some("application/json; charset=utf-8"), Ok(OCI_IMAGE)),
        (image(""), Some(DOCKER_IMAGE), Ok(DOCKER_IMAGE)),
        (image(&field(DOCKER_IMAGE)), Some("text/plain"), Ok(DOCKER_IMAGE)),
        (image(&field(DOCKER_IMAGE)), Some("application/vnd.docker.distribution.manifest.v2+JSON;x"), Ok(DOCKER_IMAGE)),
        (list(""), Some(OCI_LIST), Ok(OCI_LIST)),
        (list(&field(DOCKER_LIST)), None, Ok(DOCKER_LIST)),
        (image(&field(DOCKER_IMAGE)), Some(OCI_IMAGE), Err("by its own media type")),
        (image(""), Some(OCI_LIST), Err("the manifest of one image")),
        (image(&field(OCI_LIST)), None, Err("the manifest of one image")),
        (list(""), Some(OCI_IMAGE), Err("a list of manifests")),
        (list(""), Some("text/html"), Err("a list of manifests")),
    ] {
        match (Manifest::parse(text.as_bytes(), header), expected) {
            (Ok(manifest), Ok(media_type)) => assert_eq!(manifest.media_type, media_type),
            (Err(ManifestError::MediaType { found, .. }), Err(words)) => {
                assert!(found.ends_with(words), "{text}: {found}");
            }
            (result, _) => panic!("{text} as {header:?}: {result:?}"),
        }
    }
}

#[test]
fn documents_that_cannot_be_used_are_refused_with_the_reason() {
    let blob = entry(1, "");
    let foreign = blob.replace("\"size\"", "\"urls\":[\"https://x\"],\"size\"");
    let layer_type = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip";
    let messages: Vec<String> = [
        String::new(),
        "[]".to_owned(),
        "{\"schemaVersion\":2}".to_owned(),
        "{\"manifests\":[]}".to_owned(),
        "{\"schemaVersion\":1,\"fsLayers\":[]}".to_owned(),
        format!("{{\"schemaVersion\":2,\"manifests\":[],\"config\":{blob}}}"),
        "{\"schemaVersion\":2,\"manifests\":[],\"layers\":[]}".to_owned(),
        format!("{{\"schemaVersion\":2,\"config\":{blob},\"layers\":[],\"history\":[]}}"),
        format!("{{\"schemaVersion\":2,\"config\":{blob}}}"),
        format!("{{\"schemaVersion\":2,\"config\":{blob},\"config\":{blob},\"layers\":[]}}"),
        format!("{{\"schemaVersion\":2,\"config\":{blob},\"layers\":[{foreign}]}}"),
        format!("{{\"schemaVersion\":2,\"config\":{blob},\"layers\":[{}]}}", blob.replace(OCI_IMAGE, layer_type)),
        format!("{{\"schemaVersion\":2,\"config\":{},\"layers\":[]}}", blob.replace("sha256:", "sha512:")),
        format!("{{\"schemaVersion\":2,\"config\":{},\"layers\":[]}}", blob.replace(":7", ":-7")),
        format!("{{\"schemaVersion\":2,\"config\":{},\"layers\":[]}}", blob.replace("sha256:01", "../../etc/passwd")),
    ]
    .iter()
    .map(|text| Manifest::parse(text.as_bytes(), None).unwrap_err().to_string())
    .collect();
    insta::assert_snapshot!(messages.join("\n"), @"
    the manifest cannot be read: EOF while parsing a value at line 1 column 0
    the manifest cannot be read: invalid length 0, expected struct Written with 7 elements at line 1 column 2
    the document is neither a list of manifests nor a manifest: it has neither `manifests` nor `config` and `layers`
    the document is neither a list of manifests nor a manifest: its `schemaVersion` is not 2
    the manifest has Docker's old schema 1; push the image again with a current Docker
    the document is both a list of manifests and a manifest
    the document is both a list of manifests and a manifest
    the document is both a list of manifests and a manifest
    the document is neither a list of manifests nor a manifest: it has neither `manifests` nor `config` and `layers`
    the manifest cannot be read: duplicate field `config` at line 1 column 187
    layer sha256:0101010101010101010101010101010101010101010101010101010101010101 is foreign: it is at a URL outside the registry, and such layers are not supported
    layer sha256:0101010101010101010101010101010101010101010101010101010101010101 is foreign: it is at a URL outside the registry, and such layers are not supported
    `sha512:0101010101010101010101010101010101010101010101010101010101010101` is not a supported digest: expected `sha256:` and 64 hex digits
    the manifest cannot be read: invalid value: integer `-7`, expected u64 at line 1 column 178
    `../../etc/passwd01010101010101010101010101010101010101010101010101010101010101` is not a supported digest: expected `sha256:` and 64 hex digits
    ");
    let schema_one = Manifest::parse(b"{", Some("application/vnd.docker.distribution.manifest.v1+prettyjws"));
    assert_eq!(schema_one, Err(ManifestError::SchemaOne));
}

#[test]
fn the_entry_for_the_platform_is_chosen() {
    let many = [
        ("unknown", "unknown", ""),
        ("windows", "amd64", ""),
        ("linux", "amd64", "v2"),
        ("linux", "amd64", ""),
        ("linux", "arm", "v5"),
        ("linux", "arm", "v6"),
        ("linux", "arm64", ""),
        ("linux", "amd64", ""),
    ];
    for (asked, platforms, expected) in [
        ("linux/amd64", &many[..], Some(3)),
        ("linux/amd64/v3", &many, Some(2)),
        ("linux/arm64", &many, Some(6)),
        ("linux/arm64/v8", &[("linux", "arm64", "v8")], Some(0)),
        ("linux/arm64", &[("linux", "arm64", "v9")], Some(0)),
        ("linux/arm/v7", &many, Some(5)),
        ("linux/arm/v6", &many, Some(5)),
        ("linux/arm/v5", &many, Some(4)),
        ("linux/arm/v6", &[("linux", "arm", "v7")], None),
        ("linux/arm/v7", &[("linux", "arm", "")], Some(0)),
        ("linux/s390x", &many, None),
        ("linux/amd64", &[("linux", "amd64", "v2")], None),
    ] {
        let entries = list_of(platforms);
        let chosen = choose(&entries, &asked.parse().unwrap());
        assert_eq!(chosen.ok().map(|entry| entry.descriptor.digest), expected.map(digest), "{asked}");
    }
}

#[test]
fn a_platform_that_is_not_there_lists_those_that_are() {
    let messages: Vec<String> = [
        &[("linux", "arm64", ""), ("unknown", "unknown", ""), ("linux", "arm", "v6"), ("linux", "arm", "v6")][..],
        &[("linux", "arm64", "v8")],
        &[],
    ]
    .iter()
    .map(|platforms| choose(&list_of(platforms), &"linux/amd64".parse().unwrap()).unwrap_err().to_string())
    .collect();
    insta::assert_snapshot!(messages.join("\n"), @"
    there is no manifest for linux/amd64; there are some for linux/arm/v6, linux/arm64
    there is no manifest for linux/amd64; there is one for linux/arm64
    there is no manifest for linux/amd64; there is none for any platform
    ");
}

#[test]
fn a_list_in_a_list_is_refused() {
    let mut entries = list_of(&[("linux", "amd64", "")]);
    entries[0].descriptor.media_type = OCI_LIST.to_owned();
    assert!(matches!(choose(&entries, &Platform::new("linux", "amd64", None)), Err(ManifestError::Nested(_))));
}

#[test]
fn a_single_image_must_be_for_the_platform() {
    for (config, asked, expected) in [
        (r#"{"os":"linux","architecture":"amd64"}"#, "linux/amd64", None),
        (r#"{"os":"linux","architecture":"arm64"}"#, "linux/arm64", None),
        (r#"{"os":"linux","architecture":"arm","variant":"v6"}"#, "linux/arm/v7", None),
        (
            r#"{"os":"linux","architecture":"amd64"}"#,
            "linux/arm64",
            Some("the image is for linux/amd64 only, not for linux/arm64"),
        ),
        (
            "{}",
            "linux/amd64",
            Some("its config names no platform: it is not a container image, or a sealer up to v0.6.1 pushed it"),
        ),
        ("[", "linux/amd64", Some("")),
    ] {
        let message = check_config(config.as_bytes(), &asked.parse().unwrap()).err().map(|error| error.to_string());
        match (message, expected) {
            (Some(message), Some(expected)) => assert!(message.starts_with(expected), "{message}"),
            (message, expected) => assert_eq!(message.as_deref(), expected),
        }
    }
}
