//! The static tables of one service: every operation, every shape that one reaches.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use super::HEADER;
use super::names::{literal, shout};
use super::pattern;
use super::service::{Model, Object, flag, text};

pub(crate) fn render(model: &Model) -> Result<String> {
    let mut out = String::from(HEADER);
    out.push_str("use crate::shape::*;\n\n");
    let errors = errors(model)?;
    service(model, &mut out, &errors)?;
    operations(model, &mut out, &errors)?;
    for (name, (code, status, sender)) in &errors {
        writeln!(
            out,
            "/// `{code}`, status {status}.\npub static E_{name}: ErrorShape = ErrorShape {{ code: {}, status: {status}, sender: {sender} }};",
            literal(code)
        )?;
    }
    let sides = model.operations.values().flat_map(|o| [model.side(o, "input"), model.side(o, "output")]);
    let reached = model.reach(sides.flatten())?;
    for name in &reached {
        let shape = model.shape(name)?;
        match text(shape, "type") {
            "structure" => structure(model, &mut out, name, shape)?,
            "string" => string(model, &mut out, name, shape)?,
            "list" => list(model, &mut out, name, shape)?,
            "map" => map(model, &mut out, name, shape)?,
            "integer" | "long" => integer(model, &mut out, name, shape)?,
            _ => {}
        }
    }
    Ok(out)
}

/// Every error by its Rust name: code, status, whether the caller is at fault.
fn errors(model: &Model) -> Result<BTreeMap<String, (String, u16, bool)>> {
    let mut out = BTreeMap::new();
    let mut named = BTreeSet::new();
    for operation in model.operations.values() {
        for error in operation.get("errors").and_then(Value::as_array).into_iter().flatten() {
            named.insert(error.get("shape").and_then(Value::as_str).context("an error has a shape")?);
        }
    }
    for name in named {
        let shape = model.shape(name)?;
        let error = shape.get("error").and_then(Value::as_object);
        // The query protocol sends `error.code`; the JSON protocols send the shape's name.
        let code = error.map(|e| text(e, "code")).filter(|c| !c.is_empty() && model.protocol() == "query");
        let code = code.unwrap_or(name).to_owned();
        let status = error.and_then(|e| e.get("httpStatusCode")).and_then(Value::as_u64).unwrap_or(400);
        let sender =
            error.is_none_or(|e| e.get("senderFault").and_then(Value::as_bool).unwrap_or(status < 500));
        out.insert(shout(&code), (code, u16::try_from(status)?, sender));
    }
    for (code, extra) in &model.quirks.errors {
        out.insert(shout(code), (code.clone(), extra.status, extra.status < 500));
    }
    Ok(out)
}

fn service(model: &Model, out: &mut String, errors: &BTreeMap<String, (String, u16, bool)>) -> Result<()> {
    let m = &model.metadata;
    let prefix = text(m, "endpointPrefix");
    let signing = if text(m, "signingName").is_empty() { prefix } else { text(m, "signingName") };
    let protocol = match text(m, "protocol") {
        "query" => "Query",
        "ec2" => "Ec2",
        "json" => "Json",
        "rest-json" => "RestJson",
        "rest-xml" => "RestXml",
        other => bail!("protocol `{other}`"),
    };
    let global = matches!(model.name.as_str(), "iam" | "organizations");
    let namespace = match (text(m, "xmlNamespace"), model.name.as_str()) {
        // The models of EC2 and S3 leave out or misstate what their answers carry.
        (_, "ec2") => format!("http://ec2.amazonaws.com/doc/{}/", text(m, "apiVersion")),
        (_, "s3") => format!("http://s3.amazonaws.com/doc/{}/", text(m, "apiVersion")),
        (namespace, _) => namespace.to_owned(),
    };
    writeln!(out, "/// The table of `{}`.\npub static SERVICE: Service = Service {{", model.name)?;
    writeln!(
        out,
        "    name: {}, signing_name: {}, endpoint_prefix: {},",
        literal(&model.name),
        literal(signing),
        literal(prefix)
    )?;
    writeln!(out, "    api_version: {}, protocol: Protocol::{protocol},", literal(text(m, "apiVersion")))?;
    writeln!(
        out,
        "    target_prefix: {}, json_version: {},",
        literal(text(m, "targetPrefix")),
        literal(text(m, "jsonVersion"))
    )?;
    writeln!(out, "    xml_namespace: {}, global: {global}, operations: OPERATIONS,", literal(&namespace))?;
    let list: Vec<String> = errors.keys().map(|name| format!("&E_{name}")).collect();
    writeln!(out, "    errors: &[{}],\n}};\n", list.join(", "))?;
    Ok(())
}

fn operations(model: &Model, out: &mut String, errors: &BTreeMap<String, (String, u16, bool)>) -> Result<()> {
    let prefix = match model.name.as_str() {
        "accessanalyzer" => "access-analyzer",
        name => name,
    };
    let list: Vec<String> = model.operations.keys().map(|name| format!("&O_{}", shout(name))).collect();
    writeln!(out, "static OPERATIONS: &[&Operation] = &[{}];\n", list.join(", "))?;
    for (name, operation) in &model.operations {
        let action = model.quirks.actions.get(name).cloned().unwrap_or_else(|| format!("{prefix}:{name}"));
        let http = operation.get("http").and_then(Value::as_object).context("an operation has a route")?;
        let (path, query) =
            text(http, "requestUri").split_once('?').unwrap_or((text(http, "requestUri"), ""));
        let status = http.get("responseCode").and_then(Value::as_u64).unwrap_or(200);
        let status = model.quirks.statuses.get(name).map_or(status, |known| known.status.into());
        let side = |side| match model.side(operation, side) {
            Some(shape) => format!("S_{}", model.ident(shape)),
            None => "EMPTY".to_owned(),
        };
        let wrapper = operation.get("output").and_then(|o| o.get("resultWrapper")).and_then(Value::as_str);
        let unsigned = text(operation, "authtype") == "none"
            || operation
                .get("auth")
                .and_then(Value::as_array)
                .is_some_and(|a| a.iter().any(|a| a == "smithy.api#noAuth"));
        let checksum = operation.get("httpChecksum").and_then(|c| c.get("requestChecksumRequired"));
        let checksum = checksum.and_then(Value::as_bool).unwrap_or(false);
        let mut named = vec![];
        for error in operation.get("errors").and_then(Value::as_array).into_iter().flatten() {
            let shape = error.get("shape").and_then(Value::as_str).unwrap_or("");
            let code = model.shape(shape)?.get("error").and_then(|e| e.get("code")).and_then(Value::as_str);
            let code = code.filter(|_| model.protocol() == "query").unwrap_or(shape);
            if errors.contains_key(&shout(code)) {
                named.push(format!("&E_{}", shout(code)));
            }
        }
        writeln!(
            out,
            "pub(super) static O_{}: Operation = Operation {{ service: &SERVICE, name: {}, action: {}, http: Http {{ method: {}, path: {}, query: {}, status: {status} }}, input: &{}, output: &{}, result_wrapper: {wrapper:?}, unsigned: {unsigned}, checksum_required: {checksum}, errors: &[{}] }};",
            shout(name),
            literal(name),
            literal(&action),
            literal(text(http, "method")),
            literal(path),
            literal(query),
            side("input"),
            side("output"),
            named.join(", ")
        )?;
    }
    Ok(())
}

fn structure(model: &Model, out: &mut String, name: &str, shape: &Object) -> Result<()> {
    let required: BTreeSet<&str> = shape
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let members = model.members(shape)?;
    let payload = shape.get("payload").and_then(Value::as_str);
    let payload = payload.and_then(|p| members.iter().position(|(n, _, _)| *n == p));
    let xml_name = model.quirks.xml_names.get(name).map(String::as_str);
    let xml_name = xml_name.or_else(|| shape.get("locationName").and_then(Value::as_str));
    writeln!(
        out,
        "static S_{}: Structure = Structure {{ name: {}, members: &[",
        model.ident(name),
        literal(name)
    )?;
    for (member, reference, target) in members {
        let (wire_in, wire_out) = wire_names(model, member, reference, target);
        let location = match text(reference, "location") {
            "uri" => ", location: Location::Uri",
            "querystring" => ", location: Location::Query",
            "header" => ", location: Location::Header",
            "headers" => ", location: Location::Headers",
            "statusCode" => ", location: Location::Status",
            _ => "",
        };
        writeln!(
            out,
            "    Member {{ name: {}, wire_in: {}, wire_out: {}, kind: {}{location}{} }},",
            literal(member),
            literal(&wire_in),
            literal(&wire_out),
            kind(model, reference, target)?,
            flags(&[
                ("required", required.contains(member)),
                ("sensitive", flag(target, "sensitive")),
                ("streaming", flag(reference, "streaming") || flag(target, "streaming")),
                ("xml_attribute", flag(reference, "xmlAttribute")),
            ])
        )?;
    }
    writeln!(
        out,
        "], payload: {payload:?}, xml_name: {xml_name:?}, sensitive: {} }};",
        flag(shape, "sensitive")
    )?;
    Ok(())
}

/// The flags that are set, and the rest from the plain member.
fn flags(flags: &[(&str, bool)]) -> String {
    let set: String = flags.iter().filter(|(_, on)| *on).map(|(name, _)| format!(", {name}: true")).collect();
    set + ", ..PLAIN"
}

/// A member's name in a request and in an answer.
fn wire_names(model: &Model, member: &str, reference: &Object, target: &Object) -> (String, String) {
    let location = Some(text(reference, "locationName")).filter(|l| !l.is_empty());
    let item = target.get("member").and_then(|m| m.get("locationName")).and_then(Value::as_str);
    let flat_item = item.filter(|_| text(target, "type") == "list" && model.flattened(reference, target));
    let out = location.unwrap_or(member).to_owned();
    match model.protocol() {
        "ec2" => {
            let query = Some(text(reference, "queryName")).filter(|q| !q.is_empty());
            let mut name = query.or(location).unwrap_or(member).to_owned();
            if query.is_none()
                && let Some(first) = name.get(..1)
            {
                name = first.to_ascii_uppercase() + name.get(1..).unwrap_or("");
            }
            (name, out)
        }
        "query" | "rest-xml" => {
            let name = flat_item.map_or(out, str::to_owned);
            (name.clone(), name)
        }
        _ => (out.clone(), out),
    }
}

fn kind(model: &Model, reference: &Object, shape: &Object) -> Result<String> {
    let name = model.ident(text(reference, "shape"));
    Ok(match text(shape, "type") {
        "structure" => format!("Kind::Structure(&S_{name})"),
        // A list is flattened by the member that holds it, in a few places of S3.
        "list" if flag(reference, "flattened") && !flag(shape, "flattened") => {
            format!("Kind::List(&{})", list_literal(model, shape, true)?)
        }
        "list" => format!("Kind::List(&L_{name})"),
        "map" => format!("Kind::Map(&M_{name})"),
        "string" => format!("Kind::String(&T_{name})"),
        "integer" => format!("Kind::Integer(&I_{name})"),
        "long" => format!("Kind::Long(&I_{name})"),
        "float" | "double" => "Kind::Double".to_owned(),
        "boolean" => "Kind::Boolean".to_owned(),
        "blob" => "Kind::Blob".to_owned(),
        "timestamp" => {
            let format = Some(text(reference, "timestampFormat")).filter(|f| !f.is_empty());
            let format = format.unwrap_or_else(|| text(shape, "timestampFormat"));
            let format = match (format, model.protocol(), text(reference, "location")) {
                ("iso8601", ..) => "Iso8601",
                ("rfc822", ..) => "Rfc822",
                ("unixTimestamp", ..) => "UnixSeconds",
                ("", "rest-xml" | "rest-json", "header") => "Rfc822",
                ("", "json" | "rest-json", "") => "UnixSeconds",
                ("", ..) => "Iso8601",
                (other, ..) => bail!("timestamp format `{other}`"),
            };
            format!("Kind::Timestamp(TimestampFormat::{format})")
        }
        other => bail!("shape type `{other}`"),
    })
}

fn bounds(shape: &Object, greatest: u64) -> (u64, u64) {
    let bound = |key| shape.get(key).and_then(|v| v.as_u64().or_else(|| v.as_f64().map(|f| f as u64)));
    (bound("min").unwrap_or(0), bound("max").unwrap_or(greatest).min(greatest))
}

fn string(model: &Model, out: &mut String, name: &str, shape: &Object) -> Result<()> {
    let unchecked = model.quirks.unchecked.get(name).map(|u| u.constraint.as_str());
    let (min, max) =
        if unchecked == Some("length") { (0, u64::from(u32::MAX)) } else { bounds(shape, u32::MAX.into()) };
    let source = text(shape, "pattern");
    let pattern = match source {
        "" => "None".to_owned(),
        _ if unchecked == Some("pattern") => "None".to_owned(),
        source => {
            let regex = pattern::translate(source);
            if regex.is_none() {
                println!("{}: the pattern of `{name}` is left to its operations: {source}", model.name);
            }
            format!("Some(&Pattern {{ source: {}, regex: {regex:?} }})", literal(source))
        }
    };
    let values: Vec<String> = match shape.get("enum").and_then(Value::as_array) {
        Some(values) if unchecked != Some("enum") => {
            values.iter().filter_map(Value::as_str).map(literal).collect()
        }
        _ => vec![],
    };
    writeln!(
        out,
        "static T_{}: Text = Text {{ min: {min}, max: {max}, pattern: {pattern}, values: &[{}], sensitive: {} }};",
        model.ident(name),
        values.join(", "),
        flag(shape, "sensitive")
    )?;
    Ok(())
}

fn item<'a>(model: &'a Model, shape: &'a Object, key: &str) -> Result<(&'a Object, &'a Object)> {
    let reference = shape.get(key).and_then(Value::as_object).with_context(|| format!("no `{key}`"))?;
    Ok((reference, model.shape(text(reference, "shape"))?))
}

fn list(model: &Model, out: &mut String, name: &str, shape: &Object) -> Result<()> {
    let flattened = flag(shape, "flattened") || model.protocol() == "ec2";
    let list = list_literal(model, shape, flattened)?;
    writeln!(out, "static L_{}: List = {list};", model.ident(name))?;
    Ok(())
}

fn list_literal(model: &Model, shape: &Object, flattened: bool) -> Result<String> {
    let (reference, target) = item(model, shape, "member")?;
    let default = if model.protocol() == "ec2" { "item" } else { "member" };
    let item_name = Some(text(reference, "locationName")).filter(|l| !l.is_empty()).unwrap_or(default);
    let (min, max) = bounds(shape, u32::MAX.into());
    Ok(format!(
        "List {{ item: {}, item_name: {}, flattened: {flattened}, min: {min}, max: {max} }}",
        kind(model, reference, target)?,
        literal(item_name)
    ))
}

fn map(model: &Model, out: &mut String, name: &str, shape: &Object) -> Result<()> {
    let (key, key_shape) = item(model, shape, "key")?;
    let (value, value_shape) = item(model, shape, "value")?;
    if text(key_shape, "type") != "string" {
        bail!("map `{name}` has keys that are no text");
    }
    let wire = |reference: &Object, default: &str| {
        let name = Some(text(reference, "locationName")).filter(|l| !l.is_empty()).unwrap_or(default);
        literal(name)
    };
    let (min, max) = bounds(shape, u32::MAX.into());
    writeln!(
        out,
        "static M_{}: Map = Map {{ key: &T_{}, value: {}, key_name: {}, value_name: {}, flattened: {}, min: {min}, max: {max} }};",
        model.ident(name),
        model.ident(text(key, "shape")),
        kind(model, value, value_shape)?,
        wire(key, "key"),
        wire(value, "value"),
        flag(shape, "flattened"),
    )?;
    Ok(())
}

fn integer(model: &Model, out: &mut String, name: &str, shape: &Object) -> Result<()> {
    let (least, greatest) = if text(shape, "type") == "integer" {
        (i64::from(i32::MIN), i64::from(i32::MAX))
    } else {
        (i64::MIN, i64::MAX)
    };
    let bound = |key| shape.get(key).and_then(|v| v.as_i64().or_else(|| v.as_f64().map(|f| f as i64)));
    writeln!(
        out,
        "static I_{}: Integer = Integer {{ min: {}, max: {} }};",
        model.ident(name),
        bound("min").unwrap_or(least).max(least),
        bound("max").unwrap_or(greatest).min(greatest)
    )?;
    Ok(())
}
