//! Manifests after the shapes of real ones: what is found in each, what each becomes, and what holds for all.

use std::collections::BTreeSet;

use super::model::Kind;
use super::place::Place;
use super::*;
use crate::types::ImageRef;

mod property;
mod sealers_search;
mod shapes;
mod table;

pub(crate) use shapes::{ALL as SHAPES, Shape};

pub(crate) const REGISTRY: &str = "sea.hub:5000";

fn scanned(text: impl AsRef<[u8]>, listed: &[&str]) -> Scanned {
    let listed: BTreeSet<ImageRef> = listed.iter().map(|image| image.parse().unwrap()).collect();
    scan(text.as_ref(), &Scan { form: Form::Document, registry: REGISTRY, listed: &listed })
}

/// A line for each mention and finding: where, how sure, what.
fn told(scanned: &Scanned) -> String {
    let mentions = scanned.mentions.iter().map(|mention| {
        let Mention { kind, reference, image, place, is_certain, text_index, .. } = mention;
        let sure = if *is_certain { "certain" } else { "likely" };
        let inner = if *text_index > 0 { " inside" } else { "" };
        let complete = if image.to_string() == *reference { String::new() } else { format!(" = {image}") };
        let Place { line, column, route, document, .. } = place;
        format!("{line}:{column} {kind:?} {sure}{inner} {reference}{complete} at {document}{route}")
    });
    let findings = scanned.findings.iter().map(|Finding { place, problem }| {
        let Place { line, column, .. } = place;
        format!("{line}:{column} {problem:?}")
    });
    mentions.chain(findings).collect::<Vec<_>>().join("\n")
}

pub(crate) fn rewritten(text: &str, listed: &[&str]) -> Result<String, String> {
    let result = scanned(text, listed).rewrite(REGISTRY, &|_| true);
    result.map(|new| String::from_utf8(new.bytes).unwrap()).map_err(|error| error.to_string())
}

/// The lines that rewriting changed, as they are now. What is not changed is compared byte for byte, and a second time
/// nothing is changed.
fn changed(text: &str, listed: &[&str]) -> String {
    let new = match rewritten(text, listed) {
        Ok(new) => new,
        Err(error) => return format!("error: {error}"),
    };
    assert_eq!(rewritten(&new, listed).as_ref(), Ok(&new), "twice changes nothing");
    assert_eq!(text.matches('\n').count(), new.matches('\n').count(), "lines stay lines");
    let lines = text.split('\n').zip(new.split('\n')).enumerate();
    let lines = lines.filter(|(_, (old, new))| old != new).map(|(index, (_, new))| format!("{}| {new}", index + 1));
    lines.collect::<Vec<_>>().join("\n")
}
