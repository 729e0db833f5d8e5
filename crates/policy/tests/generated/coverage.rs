//! What the generated cases reached.

use daypass_policy::{LayerKind, LayerReport, Verdict};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Mutex;

pub(crate) const LAYERS: [LayerKind; 8] = [
    LayerKind::ResourceControl,
    LayerKind::ServiceControl,
    LayerKind::Endpoint,
    LayerKind::Resource,
    LayerKind::Trust,
    LayerKind::Identity,
    LayerKind::Boundary,
    LayerKind::Session,
];

pub(crate) const ELEMENTS: [&str; 7] =
    ["Action", "NotAction", "Resource", "NotResource", "Principal", "NotPrincipal", "Condition"];

static REACHED: Mutex<BTreeMap<String, u64>> = Mutex::new(BTreeMap::new());

pub(crate) fn note(what: String) {
    *REACHED.lock().unwrap().entry(what).or_default() += 1;
}

pub(crate) fn reached() -> BTreeMap<String, u64> {
    REACHED.lock().unwrap().clone()
}

/// What a layer said.
pub(crate) fn note_layer(report: &LayerReport) {
    let said = match report.verdict {
        Verdict::NotAsked(why) => format!("not asked, {why}"),
        verdict => format!("{verdict:?}"),
    };
    note(format!("layer {:?} {said}", report.kind));
}

/// The version of a document, and the elements of its statements.
pub(crate) fn note_document(document: &Value) {
    note(format!("version {}", document["Version"]));
    let statements = match &document["Statement"] {
        Value::Array(statements) => statements.iter().collect(),
        statement => vec![statement],
    };
    for element in statements.into_iter().filter_map(Value::as_object).flat_map(|statement| statement.keys())
    {
        note(format!("element {element}"));
    }
}
