//! Which of S3's actions are about buckets and which about objects: what a bucket policy allows must be about something in
//! its statement, or S3 does not take it.

use daypass_core::Fault;
use daypass_core::policy::{Document, Statement};

use crate::fault::malformed_policy;

/// Refuses a statement with an action that does not exist, or that is about none of the statement's resources.
///
/// # Errors
/// `MalformedPolicy`.
pub(crate) fn check(document: &Document) -> Result<(), Fault> {
    document.statements.iter().try_for_each(check_statement)
}

fn check_statement(statement: &Statement) -> Result<(), Fault> {
    let (Some(actions), Some(resources)) = (&statement.action, &statement.resource) else { return Ok(()) };
    let mut names = resources.entries.iter().map(|entry| names_objects(&entry.value));
    let (buckets, objects) = (names.clone().any(|(bucket, _)| bucket), names.any(|(_, object)| object));
    for action in &actions.entries {
        let pattern = action.value.to_lowercase();
        // Those of Object Lambda are about access points, which no bucket policy reaches.
        let Some(pattern) = pattern.strip_prefix("s3:") else { continue };
        let (on_bucket, on_object) =
            (ON_BUCKETS.iter().any(|a| matches(pattern, a)), ON_OBJECTS.iter().any(|a| matches(pattern, a)));
        if !on_bucket && !on_object {
            return Err(malformed_policy("Policy has invalid action"));
        }
        let about = (on_bucket && buckets) || (on_object && objects);
        if !about && !actions.inverted && !resources.inverted {
            return Err(malformed_policy("Action does not apply to any resource(s) in statement"));
        }
    }
    Ok(())
}

/// Whether a pattern of resources covers buckets, and whether it covers objects; an access point stands for its bucket.
fn names_objects(resource: &str) -> (bool, bool) {
    match resource.splitn(6, ':').nth(5) {
        Some(name) if name.starts_with("accesspoint/") && !name.contains("/object/") => {
            (true, name.contains('*'))
        }
        Some(name) if name.contains('/') => (name.starts_with('*'), true),
        Some(name) => (true, name.contains('*')),
        None => (true, true),
    }
}

/// Whether a pattern with `*` and `?` matches the whole of a name. Both are short.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name) = (pattern.as_bytes(), name.as_bytes());
    let mut reached = vec![false; name.len() + 1];
    if let Some(first) = reached.first_mut() {
        *first = true;
    }
    for p in pattern {
        let before = reached.clone();
        let mut any = false;
        for (index, now) in reached.iter_mut().enumerate() {
            let at = |i: usize| before.get(i).copied().unwrap_or(false);
            any |= at(index);
            let previous = index.checked_sub(1);
            *now = match p {
                b'*' => any,
                b'?' => previous.is_some_and(at),
                p => previous.is_some_and(|i| at(i) && name.get(i) == Some(p)),
            };
        }
    }
    reached.last().copied().unwrap_or(false)
}

/// Actions on objects, in lower case (service authorization reference, "Actions defined by Amazon S3").
const ON_OBJECTS: [&str; 41] = [
    "abortmultipartupload",
    "bypassgovernanceretention",
    "deleteobject",
    "deleteobjectannotation",
    "deleteobjecttagging",
    "deleteobjectversion",
    "deleteobjectversiontagging",
    "getobject",
    "getobjectacl",
    "getobjectattributes",
    "getobjectlegalhold",
    "getobjectretention",
    "getobjecttagging",
    "getobjecttorrent",
    "getobjectversion",
    "getobjectversionacl",
    "getobjectversionattributes",
    "getobjectversionforreplication",
    "getobjectversiontagging",
    "getobjectversiontorrent",
    "initiatereplication",
    "listmultipartuploadparts",
    "objectowneroverridetobucketowner",
    "putobject",
    "putobjectacl",
    "putobjectlegalhold",
    "putobjectretention",
    "putobjecttagging",
    "putobjectversionacl",
    "putobjectversiontagging",
    "replicatedelete",
    "replicateobject",
    "replicatetags",
    "restoreobject",
    "updateobjectencryption",
    "getobjectannotation",
    "putobjectannotation",
    "listobjectannotations",
    "getobjectversionannotation",
    "deleteobjectversionannotation",
    "putobjectversionannotation",
];

/// Actions on buckets, in lower case, likewise.
const ON_BUCKETS: [&str; 59] = [
    "createbucket",
    "createbucketmetadatatableconfiguration",
    "deletebucket",
    "deletebucketmetadatatableconfiguration",
    "deletebucketpolicy",
    "deletebucketwebsite",
    "getaccelerateconfiguration",
    "getanalyticsconfiguration",
    "getbucketabac",
    "getbucketacl",
    "getbucketcors",
    "getbucketlocation",
    "getbucketlogging",
    "getbucketmetadatatableconfiguration",
    "getbucketnotification",
    "getbucketobjectlockconfiguration",
    "getbucketownershipcontrols",
    "getbucketpolicy",
    "getbucketpolicystatus",
    "getbucketpublicaccessblock",
    "getbucketrequestpayment",
    "getbuckettagging",
    "getbucketversioning",
    "getbucketwebsite",
    "getencryptionconfiguration",
    "getintelligenttieringconfiguration",
    "getinventoryconfiguration",
    "getlifecycleconfiguration",
    "getmetricsconfiguration",
    "getreplicationconfiguration",
    "listbucket",
    "listbucketmultipartuploads",
    "listbucketversions",
    "listtagsforresource",
    "putaccelerateconfiguration",
    "putanalyticsconfiguration",
    "putbucketabac",
    "putbucketacl",
    "putbucketcors",
    "putbucketlogging",
    "putbucketnotification",
    "putbucketobjectlockconfiguration",
    "putbucketownershipcontrols",
    "putbucketpolicy",
    "putbucketpublicaccessblock",
    "putbucketrequestpayment",
    "putbuckettagging",
    "putbucketversioning",
    "putbucketwebsite",
    "putencryptionconfiguration",
    "putintelligenttieringconfiguration",
    "putinventoryconfiguration",
    "putlifecycleconfiguration",
    "putmetricsconfiguration",
    "putreplicationconfiguration",
    "tagresource",
    "untagresource",
    "updatebucketmetadatainventorytableconfiguration",
    "updatebucketmetadatajournaltableconfiguration",
];

#[cfg(test)]
mod tests {
    use super::*;
    use daypass_core::policy::DocumentKind;

    fn checked(action: &str, resource: &str) -> Result<(), String> {
        let text = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":"*","Action":{action},"Resource":{resource}}}]}}"#
        );
        check(&Document::parse(DocumentKind::Bucket, &text).unwrap()).map_err(|fault| fault.message)
    }

    #[test]
    fn an_action_must_be_about_a_resource_of_its_statement() {
        let (bucket, objects) = (r#""arn:aws:s3:::b""#, r#""arn:aws:s3:::b/*""#);
        let both = r#"["arn:aws:s3:::b","arn:aws:s3:::b/*"]"#;
        let elsewhere = Err("Action does not apply to any resource(s) in statement".to_owned());
        let unknown = Err("Policy has invalid action".to_owned());
        for (action, resource, expected) in [
            (r#""s3:GetObject""#, objects, Ok(())),
            (r#""s3:getobject""#, objects, Ok(())),
            (r#""s3:GetObject""#, bucket, elsewhere.clone()),
            (r#""s3:ListBucket""#, bucket, Ok(())),
            (r#""s3:ListBucket""#, objects, elsewhere.clone()),
            (r#"["s3:ListBucket","s3:GetObject"]"#, both, Ok(())),
            (r#"["s3:ListBucket","s3:GetObject"]"#, objects, elsewhere),
            (r#""s3:*""#, objects, Ok(())),
            (r#""s3:*""#, bucket, Ok(())),
            (r#""s3:Get*""#, bucket, Ok(())),
            (r#""s3:GetObjec?""#, objects, Ok(())),
            (r#""s3:GetObject""#, r#""arn:aws:s3:::b*""#, Ok(())),
            (r#""s3:Frobnicate""#, both, unknown.clone()),
            (r#""s3:X*""#, both, unknown),
        ] {
            assert_eq!(checked(action, resource), expected, "{action} {resource}");
        }
    }

    #[test]
    fn the_actions_of_the_tables_are_known() {
        for operation in daypass_core::model::s3::SERVICE.operations {
            let Some(action) = operation.action.strip_prefix("s3:") else { continue };
            let action = action.to_lowercase();
            let known = ON_OBJECTS.contains(&action.as_str()) || ON_BUCKETS.contains(&action.as_str());
            assert!(known || ["listallmybuckets", "createsession"].contains(&action.as_str()), "{action}");
        }
    }
}
