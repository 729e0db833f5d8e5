//! `SimulateCustomPolicy`, `SimulatePrincipalPolicy` and the context keys of both.

use daypass_core::store::records::{ControlPolicyType, Organization};

use crate::support::{Account, allow, refusal};

const ALICE: &str = "arn:aws:iam::123456789012:user/alice";
const GET: (&str, &str) = ("ActionNames.member.1", "s3:GetObject");
const OBJECT: (&str, &str) = ("ResourceArns.member.1", "arn:aws:s3:::b/k");

#[tokio::test]
async fn decisions_come_with_the_statements_that_made_them() {
    let account = Account::new().await;
    let list = "{\n  \"Version\":\"2012-10-17\",\n  \"Statement\":[\n    {\"Effect\":\"Allow\",\"Action\":\"s3:*\",\"Resource\":\"*\"},\n    {\"Effect\":\"Deny\",\"Action\":\"s3:Put*\",\"Resource\":\"*\"}]}";
    // A lone statement begins past its brace, one of a list past the bracket or the one before: as AWS recorded it.
    let lone = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:*","Resource":"*","Condition":{"DateGreaterThan":{"aws:CurrentTime":"2018-08-16T12:00:00Z"}}}}"#;
    let date = [
        ("ContextEntries.member.1.ContextKeyName", "aws:CurrentTime"),
        ("ContextEntries.member.1.ContextKeyValues.member.1", "2019-04-25T11:00:00Z"),
        ("ContextEntries.member.1.ContextKeyType", "date"),
    ];
    for (policy, action, decision, lines, columns) in [
        (list, "s3:GetObject", "allowed", &["4", "3"][..], &["54", "16"][..]),
        (list, "s3:PutObject", "explicitDeny", &["5", "4"], &["56", "54"]),
        (list, "ec2:RunInstances", "implicitDeny", &[], &[]),
        (lone, "dynamodb:CreateBackup", "allowed", &["1", "1"], &["167", "38"]),
    ] {
        let input = [("PolicyInputList.member.1", policy), ("ActionNames.member.1", action)];
        let answer = account.ok("SimulateCustomPolicy", &[&input[..], &date].concat()).await;
        assert_eq!(answer.xml("EvalDecision"), Some(decision), "{action}");
        assert_eq!((answer.xml("EvalActionName"), answer.xml("EvalResourceName")), (Some(action), Some("*")));
        let (mut found, mut known) = (answer.xml_all("Line"), lines.to_vec());
        found.sort_unstable();
        known.sort_unstable();
        assert_eq!(found, known, "{action}");
        let (mut found, mut known) = (answer.xml_all("Column"), columns.to_vec());
        found.sort_unstable();
        known.sort_unstable();
        assert_eq!(found, known, "{action}");
        let matched = !lines.is_empty();
        assert_eq!(answer.xml("SourcePolicyId"), matched.then_some("PolicyInputList.1"));
        assert_eq!(answer.xml("SourcePolicyType"), matched.then_some("IAM Policy"));
    }
    let input = [("PolicyInputList.member.1", lone), ("ActionNames.member.1", "dynamodb:CreateBackup")];
    let answer = account.ok("SimulateCustomPolicy", &input).await;
    assert_eq!(answer.xml("EvalDecision"), Some("implicitDeny"));
    assert!(answer.xml("MissingContextValues").unwrap().contains("aws:CurrentTime"));
}

#[tokio::test]
async fn both_sides_and_the_boundary_are_told_apart() {
    let account = Account::new().await;
    let iam = allow(r#""iam:*""#, "*", "");
    let all = allow(r#""s3:*""#, "*", "");
    let policy = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:user/alice"},"Action":"s3:*","Resource":"arn:aws:s3:::b/*"}}"#;
    let other = "arn:aws:iam::999999999999:root";
    for (identity, owner, decision, bounded, entries) in [
        // Within the account the resource's policy is enough for the user that it names.
        (&iam, "arn:aws:iam::123456789012:root", "allowed", "false", 0),
        (&iam, other, "implicitDeny", "false", 6),
        (&all, other, "implicitDeny", "false", 6),
    ] {
        let input = [
            ("PolicyInputList.member.1", identity.as_str()),
            ("PermissionsBoundaryPolicyInputList.member.1", &iam),
            ("ResourcePolicy", policy),
            ("ResourceOwner", owner),
            ("CallerArn", ALICE),
            GET,
            OBJECT,
        ];
        let answer = account.ok("SimulateCustomPolicy", &input).await;
        assert_eq!(answer.xml("EvalDecision"), Some(decision));
        assert_eq!(answer.xml("EvalResourceDecision"), Some(decision));
        assert_eq!(answer.xml("AllowedByPermissionsBoundary"), Some(bounded));
        assert_eq!(answer.xml_all("key").len(), entries);
        assert!(answer.xml_all("SourcePolicyId").contains(&"ResourcePolicy"));
    }
}

#[tokio::test]
async fn a_principal_has_its_own_policies_and_those_of_its_groups() {
    let account = Account::new().await;
    account.user("alice").await;
    account.group("g").await;
    account.role("app").await;
    let own = allow(r#""s3:GetObject""#, "arn:aws:s3:::b/${aws:username}", "");
    let put = [("UserName", "alice"), ("PolicyName", "own"), ("PolicyDocument", own.as_str())];
    account.ok("PutUserPolicy", &put).await;
    account.ok("AddUserToGroup", &[("GroupName", "g"), ("UserName", "alice")]).await;
    let arn = ("PolicyArn", "arn:aws:iam::aws:policy/AmazonEC2ReadOnlyAccess");
    account.ok("AttachGroupPolicy", &[("GroupName", "g"), arn]).await;
    for (source, action, resource, policy) in [
        ("user/alice", "s3:GetObject", "arn:aws:s3:::b/alice", Some("user_alice_own")),
        ("user/alice", "s3:GetObject", "arn:aws:s3:::b/bob", None),
        ("user/alice", "ec2:DescribeInstances", "*", Some("AmazonEC2ReadOnlyAccess")),
        ("group/g", "ec2:DescribeInstances", "*", Some("AmazonEC2ReadOnlyAccess")),
        ("role/app", "ec2:DescribeInstances", "*", None),
    ] {
        let source = format!("arn:aws:iam::123456789012:{source}");
        let input = [
            ("PolicySourceArn", source.as_str()),
            ("ActionNames.member.1", action),
            ("ResourceArns.member.1", resource),
        ];
        let answer = account.ok("SimulatePrincipalPolicy", &input).await;
        assert_eq!(answer.xml("SourcePolicyId"), policy, "{source} {action} {resource}");
        let decision = if policy.is_some() { "allowed" } else { "implicitDeny" };
        assert_eq!(answer.xml("EvalDecision"), Some(decision));
    }
    let keys = account.ok("GetContextKeysForPrincipalPolicy", &[("PolicySourceArn", ALICE)]).await;
    assert!(keys.xml("ContextKeyNames").unwrap().contains("aws:username"));
    let may = allow(r#""iam:SimulatePrincipalPolicy""#, ALICE, "");
    let bob = account.server.user("bob", &[("may", &may)]).await;
    let role = ("PolicySourceArn", "arn:aws:iam::123456789012:role/app");
    assert_eq!(
        bob.query("iam", "SimulatePrincipalPolicy", &[("PolicySourceArn", ALICE), GET]).await.code(),
        None
    );
    let denied = bob.query("iam", "SimulatePrincipalPolicy", &[role, GET]).await.code();
    assert_eq!(denied.as_deref(), Some("AccessDenied"));
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let account = Account::new().await;
    let all = allow(r#""*""#, "*", "");
    let policy = ("PolicyInputList.member.1", all.as_str());
    for (more, message) in [
        (&[("ResourceArns.member.1", "bucket")][..], "ResourceNames are not in a valid ARN format: bucket."),
        (&[("ResourceOwner", "123456789012")], "'123456789012' is not a valid as a Resource Owner."),
        (&[("ResourcePolicy", all.as_str()), OBJECT], "ResourcePolicy: Missing required field Principal"),
        (
            &[("CallerArn", "arn:aws:iam::123456789012:role/app")],
            "Invalid caller - Caller must be an IAM user in this context.",
        ),
        (&[("PolicyInputList.member.2", "{}")], "PolicyInputList.2: Syntax errors in policy."),
        (&[("ActionNames.member.2", "s3:*")], "Invalid action name: s3:*."),
    ] {
        let input = [&[policy, GET][..], more].concat();
        let refused = account.refused("SimulateCustomPolicy", &input).await;
        assert_eq!(refused, refusal(400, "InvalidInput", message));
    }
    let gone = refusal(404, "NoSuchEntity", "The user with name alice cannot be found.");
    for action in ["SimulatePrincipalPolicy", "GetContextKeysForPrincipalPolicy"] {
        assert_eq!(account.refused(action, &[("PolicySourceArn", ALICE), GET]).await, gone);
    }
}

#[tokio::test]
async fn actions_come_in_pages() {
    let account = Account::new().await;
    let all = allow(r#""*""#, "*", "");
    let input = [
        ("PolicyInputList.member.1", all.as_str()),
        GET,
        ("ActionNames.member.2", "s3:PutObject"),
        ("MaxItems", "1"),
    ];
    let first = account.ok("SimulateCustomPolicy", &input).await;
    assert_eq!((first.xml("EvalActionName"), first.xml("IsTruncated")), (Some("s3:GetObject"), Some("true")));
    let marker = ("Marker", first.xml("Marker").unwrap());
    let last = account.ok("SimulateCustomPolicy", &[&input[..], &[marker]].concat()).await;
    assert_eq!((last.xml("EvalActionName"), last.xml("IsTruncated")), (Some("s3:PutObject"), Some("false")));
}

#[tokio::test]
async fn a_simulation_costs_no_more_than_it_may() {
    let account = Account::new().await;
    // Each of many keys once, whatever their case; the time that takes grows with the text.
    let conditions: Vec<String> = (0..2000).map(|n| format!(r#""aws:RequestTag/k{n}":"a""#)).collect();
    let large =
        allow(r#""s3:*""#, "*", &format!(r#","Condition":{{"StringEquals":{{{}}}}}"#, conditions.join(",")));
    let twice = [("PolicyInputList.member.1", large.as_str()), ("PolicyInputList.member.2", large.as_str())];
    let keys = account.ok("GetContextKeysForCustomPolicy", &twice).await;
    assert_eq!(keys.xml_all("member").len(), 2000);
    // Large policies for many resources are refused, and for many actions are answered in pages.
    let resources: Vec<(String, String)> =
        (1..=900).map(|n| (format!("ResourceArns.member.{n}"), format!("arn:aws:s3:::b/{n}"))).collect();
    let resources = resources.iter().map(|(k, v)| (k.as_str(), v.as_str()));
    let many: Vec<_> = twice.into_iter().chain([GET]).chain(resources).collect();
    let (status, code, _) = account.refused("SimulateCustomPolicy", &many).await;
    assert_eq!((status, code.as_str()), (400, "InvalidInput"));
    let actions: Vec<(String, String)> =
        (1..=900).map(|n| (format!("ActionNames.member.{n}"), format!("s3:Get{n}"))).collect();
    let actions = actions.iter().map(|(k, v)| (k.as_str(), v.as_str()));
    let many: Vec<_> = twice.into_iter().chain([("MaxItems", "1000")]).chain(actions).collect();
    let page = account.ok("SimulateCustomPolicy", &many).await;
    let results = page.xml_all("EvalActionName").len();
    assert!((1..900).contains(&results), "{results}");
    assert_eq!(page.xml("IsTruncated"), Some("true"));
}

#[tokio::test]
async fn context_entries_are_not_without_end() {
    let account = Account::new().await;
    let policy = allow(r#""s3:*""#, "*", "");
    let entries: Vec<(String, String)> = (1..=1001)
        .flat_map(|n| {
            let name = |part: &str| format!("ContextEntries.member.{n}.{part}");
            [
                (name("ContextKeyName"), format!("aws:k{n}")),
                (name("ContextKeyType"), "string".to_owned()),
                (name("ContextKeyValues.member.1"), "v".to_owned()),
            ]
        })
        .collect();
    let entries = entries.iter().map(|(k, v)| (k.as_str(), v.as_str()));
    let input: Vec<_> =
        [("PolicyInputList.member.1", policy.as_str()), GET].into_iter().chain(entries).collect();
    assert_eq!(
        account.refused("SimulateCustomPolicy", &input).await,
        refusal(400, "InvalidInput", "At most 1000 context entries can be given.")
    );
}

/// An account in an organization, under a policy with these statements beside the one that allows everything, or without.
async fn under(statements: &str, full: bool) -> Account {
    let account = Account::new().await;
    let own = daypass_core::testing::account();
    let management = "444455556666".parse().unwrap();
    let limits = |organization: &mut Organization| {
        organization.policy_types = vec![ControlPolicyType::ServiceControlPolicy];
    };
    account.server.organize(&[management, own.clone()], limits).await;
    let document = format!(r#"{{"Version":"2012-10-17","Statement":{statements}}}"#);
    let others: &[&str] = if full { &["p-FullAWSAccess"] } else { &[] };
    account.server.limit(&own, "p-queues0001", &document, others).await;
    account
}

#[tokio::test]
async fn the_organization_ends_a_simulation_that_it_denies() {
    let s3 = r#"{"Effect":"EFFECT","Action":["s3:*"IAM],"Resource":"*"}"#;
    let s3 = |effect: &str, more: &str| s3.replace("EFFECT", effect).replace("IAM", more);
    let east = r#"{"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:RequestedRegion":"us-east-1"}}}"#;
    for (statements, full, decision, allowed) in [
        (&s3("Deny", ""), true, "explicitDeny", "false"),
        (&s3("Allow", r#","iam:*""#), false, "allowed", "true"),
        (&s3("Allow", r#","iam:*""#).replace("s3", "sqs"), false, "implicitDeny", "false"),
        (&east.to_owned(), true, "explicitDeny", "false"),
        (&east.replace("east", "west"), true, "allowed", "true"),
    ] {
        let account = under(statements, full).await;
        account.user("alice").await;
        let all = allow(r#""*""#, "*", "");
        let policy = [("PolicyName", "all"), ("PolicyDocument", all.as_str())];
        account.ok("PutUserPolicy", &[&[("UserName", "alice")][..], &policy].concat()).await;
        let region = [
            ("ContextEntries.member.1.ContextKeyName", "aws:RequestedRegion"),
            ("ContextEntries.member.1.ContextKeyValues.member.1", "us-east-1"),
            ("ContextEntries.member.1.ContextKeyType", "string"),
        ];
        for (operation, of) in [
            ("SimulatePrincipalPolicy", ("PolicySourceArn", ALICE)),
            ("SimulateCustomPolicy", ("PolicyInputList.member.1", all.as_str())),
        ] {
            for resource in [&[][..], &[OBJECT]] {
                let answer = account.ok(operation, &[&[of, GET], &region[..], resource].concat()).await;
                assert_eq!(answer.xml("EvalDecision"), Some(decision), "{statements}: {}", answer.body);
                assert_eq!(answer.xml("AllowedByOrganizations"), Some(allowed), "{statements}");
                assert_eq!(answer.xml("SourcePolicyId").is_some(), allowed == "true", "{}", answer.body);
            }
        }
    }
}

#[tokio::test]
async fn outside_an_organization_and_of_callers_of_other_accounts_there_is_nothing_to_tell() {
    let account = Account::new().await;
    let all = allow(r#""*""#, "*", "");
    let ask = [("PolicyInputList.member.1", all.as_str()), GET, OBJECT];
    let answer = account.ok("SimulateCustomPolicy", &ask).await;
    assert_eq!((answer.xml("EvalDecision"), answer.xml("AllowedByOrganizations")), (Some("allowed"), None));
    let nothing = r#"{"Effect":"Deny","Action":"*","Resource":"*"}"#;
    let account = under(nothing, false).await;
    let other = account.server.user_of(&"444455556666".parse().unwrap(), "bob", &[("all", &all)]).await;
    let own = other.query("iam", "SimulateCustomPolicy", &ask).await.ok();
    // The management account is never limited.
    assert_eq!((own.xml("EvalDecision"), own.xml("AllowedByOrganizations")), (Some("allowed"), Some("true")));
    let caller_of_member = ("CallerArn", ALICE);
    let told =
        other.query("iam", "SimulateCustomPolicy", &[&ask[..], &[caller_of_member]].concat()).await.ok();
    assert_eq!(told.xml("AllowedByOrganizations"), None);
}
