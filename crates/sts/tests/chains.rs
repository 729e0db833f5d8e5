//! Roles that are assumed from sessions of roles: what goes on with them, and how much a session may carry.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

use daypass_core::Clock as _;
use daypass_core::store::records::{Indexed as _, Policies, Role};
use daypass_core::store::{StoreError, TransactError};
use daypass_core::testing::{Client, TestAnswer, TestServer, account};
use daypass_core::wire::sigv4::MAX_TOKEN_LENGTH;

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]}}"#;
const MAY: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"],"Resource":"*"},{"Effect":"Allow","Action":"ec2:DescribeVpcs","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/team":"red"}}},{"Effect":"Allow","Action":"ec2:DescribeSubnets","Resource":"*","Condition":{"StringEquals":{"aws:SourceIdentity":"alice"}}}]}"#;
const ALLOWED: &str = "UnsupportedOperation";
const DENIED: &str = "UnauthorizedOperation";

/// A server with the roles `first`, `second` and `untagged`, which may not tag, and a user that may assume them.
async fn server() -> (TestServer, Client) {
    let server = TestServer::new(daypass_sts::OPERATIONS.iter().copied()).await;
    for name in ["first", "second", "untagged"] {
        let trust =
            if name == "untagged" { TRUST.replace(r#","sts:TagSession""#, "") } else { TRUST.to_owned() };
        let role = Role {
            account: account(),
            path: "/".into(),
            name: name.into(),
            id: format!("AROA{:Q<17}", name.to_uppercase()),
            created: server.clock.now(),
            description: None,
            trust_policy: trust,
            max_session_seconds: 7200,
            policies: Policies { inline: [("may".to_owned(), MAY.to_owned())].into(), attached: vec![] },
            permissions_boundary: None,
            tags: vec![],
            instance_profiles: vec![],
        };
        let put: Result<(), TransactError<StoreError>> =
            server.gate.state().store.transact(|tx| role.save(tx)).await;
        put.unwrap();
    }
    let alice = server.user("alice", &[("may", MAY)]).await;
    (server, alice)
}

async fn assume(client: &Client, role: &str, parameters: &[(&str, &str)]) -> TestAnswer {
    let arn = format!("arn:aws:iam::123456789012:role/{role}");
    let all = [&[("RoleArn", arn.as_str()), ("RoleSessionName", "s1")], parameters].concat();
    client.query("sts", "AssumeRole", &all).await
}

fn session(server: &TestServer, answer: &TestAnswer) -> Client {
    server.client(
        answer.xml("AccessKeyId").unwrap(),
        answer.xml("SecretAccessKey").unwrap(),
        answer.xml("SessionToken").map(str::to_owned),
    )
}

async fn asks(client: &Client, action: &str) -> String {
    client.query("ec2", action, &[]).await.refused().0
}

const TAG: [(&str, &str); 2] = [("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "red")];

#[tokio::test]
async fn a_transitive_tag_goes_on_and_cannot_be_changed() {
    let (server, alice) = server().await;
    let transitive = [&TAG[..], &[("TransitiveTagKeys.member.1", "Team")]].concat();
    let first = session(&server, &assume(&alice, "first", &transitive).await.ok());
    let second = session(&server, &assume(&first, "second", &[]).await.ok());
    assert_eq!(asks(&second, "DescribeVpcs").await, ALLOWED);
    let third = session(&server, &assume(&second, "first", &[]).await.ok());
    assert_eq!(asks(&third, "DescribeVpcs").await, ALLOWED);
    let other = [("Tags.member.1.Key", "TEAM"), ("Tags.member.1.Value", "blue")];
    let (code, words) = assume(&first, "second", &other).await.refused();
    assert_eq!(code, "InvalidParameterValue");
    assert!(words.contains("conflicts with a transitive tag key from the calling session"), "{words}");
    // What it brings along has to be allowed, as if it were asked for.
    assert_eq!(assume(&first, "untagged", &[]).await.refused().0, "AccessDenied");
}

#[tokio::test]
async fn a_tag_that_is_not_transitive_stays_behind() {
    let (server, alice) = server().await;
    let first = session(&server, &assume(&alice, "first", &TAG).await.ok());
    assert_eq!(asks(&first, "DescribeVpcs").await, ALLOWED);
    let second = session(&server, &assume(&first, "second", &[]).await.ok());
    assert_eq!(asks(&second, "DescribeVpcs").await, DENIED);
    assume(&first, "untagged", &[]).await.ok();
    let missing = [&TAG[..], &[("TransitiveTagKeys.member.1", "stage")]].concat();
    let words = "The specified transitive tag key must be included in the requested tags.";
    assert_eq!(
        assume(&alice, "first", &missing).await.refused(),
        ("InvalidParameterValue".to_owned(), words.to_owned())
    );
}

#[tokio::test]
async fn a_source_identity_stays_for_the_whole_chain() {
    let (server, alice) = server().await;
    let answer = assume(&alice, "first", &[("SourceIdentity", "alice")]).await.ok();
    assert_eq!(answer.xml("SourceIdentity"), Some("alice"));
    let first = session(&server, &answer);
    let second = session(&server, &assume(&first, "second", &[]).await.ok());
    assert_eq!(asks(&second, "DescribeSubnets").await, ALLOWED);
    assert_eq!(assume(&second, "first", &[("SourceIdentity", "mallory")]).await.refused().0, "AccessDenied");
}

#[tokio::test]
async fn a_session_may_carry_so_much_and_tells_how_much_of_it_it_does() {
    let (_server, alice) = server().await;
    let policy = |length: usize| {
        let document = |name: &str| {
            format!(
                r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::{name}"}}}}"#
            )
        };
        document(&"x".repeat(length - document("").len()))
    };
    let percent = async |policy: &str, tags: &[(&str, &str)]| {
        let answer = assume(&alice, "first", &[&[("Policy", policy)], tags].concat()).await.ok();
        answer.xml("PackedPolicySize").unwrap().parse::<u32>().unwrap()
    };
    let (small, large) = (percent(&policy(200), &[]).await, percent(&policy(2048), &[]).await);
    assert!(0 < small && small < large && large <= 100, "{small} {large}");
    let long = "v".repeat(256);
    let tagged = percent(&policy(200), &[("Tags.member.1.Key", "k"), ("Tags.member.1.Value", &long)]).await;
    assert!(small < tagged, "{tagged}");
    let (code, words) = assume(&alice, "first", &[("Policy", &policy(2500))]).await.refused();
    let expected = "Packed policy consumes 122% of allotted space, please use smaller policy.";
    assert_eq!((code.as_str(), words.as_str()), ("PackedPolicyTooLarge", expected));
    let tags: Vec<(String, String)> = (1..=50)
        .flat_map(|n| {
            [
                (format!("Tags.member.{n}.Key"), format!("key{n}")),
                (format!("Tags.member.{n}.Value"), long.clone()),
            ]
        })
        .collect();
    let tags: Vec<(&str, &str)> = tags.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(assume(&alice, "first", &tags).await.refused().0, "PackedPolicyTooLarge");
}

const EVERYTHING: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;

/// A session policy of as many characters as there may be, all of them the one that `fill` is made of.
fn longest_policy(fill: &str) -> String {
    let [head, tail] = [
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringNotEquals":{"aws:username":""#,
        r#""}}}}"#,
    ];
    let room = (2048 - head.len() - tail.len()) / fill.chars().count();
    [head, &fill.repeat(room), tail].concat()
}

#[tokio::test]
async fn every_token_that_is_given_out_is_one_that_is_taken() {
    let (server, _) = server().await;
    let alice = server.user("anybody", &[("all", EVERYTHING)]).await;
    // Tags of as many bytes as there is room for beside the policy, in keys, which go on.
    let tags = |count: usize, letter: char, length: usize| -> Vec<(String, String)> {
        (0..count)
            .flat_map(|n| {
                let key: String = (0..length - 2).map(|_| letter).chain(format!("{n:02}").chars()).collect();
                [
                    (format!("Tags.member.{}.Key", n + 1), key.clone()),
                    (format!("Tags.member.{}.Value", n + 1), String::new()),
                    (format!("TransitiveTagKeys.member.{}", n + 1), key),
                ]
            })
            .collect()
    };
    let mut longest = 0;
    for fill in ["x", r#"\""#, "\u{ff}", r"\\"] {
        for tags in
            [tags(50, 'x', 120), tags(11, '\u{10400}', 128), tags(50, '\u{10400}', 31), tags(45, 'é', 68)]
        {
            let policy = longest_policy(fill);
            let mut form = vec![("Policy", policy.as_str())];
            form.extend(tags.iter().map(|(name, value)| (name.as_str(), value.as_str())));
            let assumed = assume(&alice, "first", &form).await;
            form.retain(|(name, _)| !name.starts_with("Transitive"));
            form.push(("Name", "somebody"));
            let federated = alice.query("sts", "GetFederationToken", &form).await;
            for (operation, answer) in [("AssumeRole", assumed), ("GetFederationToken", federated)] {
                let answer = answer.ok();
                let length = answer.xml("SessionToken").map_or(0, str::len);
                let who = session(&server, &answer).query("sts", "GetCallerIdentity", &[]).await;
                assert_eq!(who.status, 200, "{operation} {fill} {length}: {}", who.body);
                longest = longest.max(length);
            }
        }
    }
    // The table is one of long tokens, and there is no room for much longer ones.
    assert!(longest > MAX_TOKEN_LENGTH / 2, "{longest}");
}
