//! What every generated table must hold, whatever the version of the models.

use std::collections::BTreeSet;

use daypass_model::{Kind, Location, Operation, Protocol, Structure, services};

fn operations() -> impl Iterator<Item = &'static Operation> {
    services().iter().flat_map(|s| s.operations.iter().copied())
}

#[test]
fn nine_services_with_all_their_operations() {
    let counts: Vec<(&str, usize)> = services().iter().map(|s| (s.name, s.operations.len())).collect();
    assert!(counts.contains(&("iam", 176)) && counts.contains(&("sts", 11)), "{counts:?}");
    assert!(operations().count() >= 1373, "{counts:?}");
}

#[test]
fn operations_are_found_by_their_exact_name_alone() {
    for operation in operations() {
        let service = operation.service;
        assert!(service.operation(operation.name).is_some_and(|o| std::ptr::eq(o, operation)));
        assert!(service.operation(&operation.name.to_lowercase()).is_none());
    }
}

#[test]
fn every_action_is_a_service_and_a_name() {
    for operation in operations() {
        let (service, name) = operation.action.split_once(':').expect(operation.name);
        assert!(!service.is_empty() && !name.is_empty() && !name.contains(':'), "{}", operation.action);
    }
}

#[test]
fn only_what_aws_takes_unsigned_is_unsigned() {
    let unsigned: Vec<_> = operations().filter(|o| o.unsigned).map(|o| o.name).collect();
    // A form is signed in its fields; a browser asks before it sends what is signed.
    let expected = ["OptionsObject", "PostObject", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"];
    assert_eq!(unsigned, expected);
}

#[test]
fn every_label_of_a_path_is_a_required_member() {
    for operation in operations() {
        for label in operation.http.path.split('/').filter_map(|p| p.strip_prefix('{')) {
            let label = label.trim_end_matches('}').trim_end_matches('+');
            let member =
                operation.input.members.iter().find(|m| m.location == Location::Uri && m.wire_in == label);
            // Pages of other sites ask about buckets too.
            let optional = (operation.name, label) == ("OptionsObject", "Key");
            assert!(member.is_some_and(|m| m.required != optional), "{} {label}", operation.name);
        }
    }
}

#[test]
fn patterns_compile_and_are_anchored() {
    let mut seen = BTreeSet::new();
    let mut open: Vec<&'static Structure> = operations().flat_map(|o| [o.input, o.output]).collect();
    let mut patterns = 0;
    while let Some(structure) = open.pop() {
        if !seen.insert(std::ptr::from_ref(structure)) {
            continue;
        }
        for member in structure.members {
            let mut kind = member.kind;
            loop {
                match kind {
                    Kind::Structure(inner) => open.push(inner),
                    Kind::List(list) => {
                        kind = list.item;
                        continue;
                    }
                    Kind::Map(map) => {
                        kind = map.value;
                        continue;
                    }
                    Kind::String(text) => {
                        if let Some(regex) = text.pattern.and_then(|p| p.regex) {
                            assert!(regex.starts_with(r"\A(?:") && regex.ends_with(r")\z"));
                            regex::Regex::new(regex).expect(regex);
                            patterns += 1;
                        }
                    }
                    _ => {}
                }
                break;
            }
        }
    }
    assert!(patterns > 100, "only {patterns} patterns were found");
}

#[test]
fn names_of_members_are_where_the_protocols_put_them() {
    let name = |service: &str, operation: &str, member: &str| {
        let service = services().iter().find(|s| s.name == service).expect("a service");
        let input = service.operation(operation).expect("an operation").input;
        input.members.iter().find(|m| m.name == member).map(|m| (m.wire_in, m.wire_out)).expect("a member")
    };
    assert_eq!(name("iam", "CreateRole", "RoleName"), ("RoleName", "RoleName"));
    assert_eq!(name("ec2", "RunInstances", "TagSpecifications"), ("TagSpecification", "TagSpecification"));
    assert_eq!(name("ec2", "RunInstances", "EbsOptimized"), ("EbsOptimized", "ebsOptimized"));
    assert_eq!(name("s3", "PutObject", "ContentMD5"), ("Content-MD5", "Content-MD5"));
    let protocol = |name: &str| services().iter().find(|s| s.name == name).map(|s| s.protocol);
    assert_eq!(protocol("accessanalyzer"), Some(Protocol::RestJson));
}
