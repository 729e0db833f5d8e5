//! The custom policy checks, through the whole gate.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

use daypass_core::testing::{Client, TestServer};
use serde_json::{Value, json};

const NEW_ACCESS: &str = "/policy/check-no-new-access";
const NOT_GRANTED: &str = "/policy/check-access-not-granted";
const PUBLIC: &str = "/policy/check-no-public-access";

fn policy(statements: &Value) -> String {
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

async fn server() -> (TestServer, Client) {
    let server = TestServer::new(daypass_accessanalyzer::OPERATIONS.iter().copied()).await;
    let administrator = server.administrator().await;
    (server, administrator)
}

async fn ask(client: &Client, path: &str, input: &Value) -> Value {
    let answer = client.rest("accessanalyzer", "POST", path, "", input).await.ok();
    serde_json::from_str(&answer.body).unwrap()
}

async fn new_access(client: &Client, existing: &Value, new: &Value) -> Value {
    let input = json!({"existingPolicyDocument": policy(existing), "newPolicyDocument": policy(new),
        "policyType": "IDENTITY_POLICY"});
    ask(client, NEW_ACCESS, &input).await
}

/// The example of the AWS CLI's documentation, and the same with a `Sid`.
#[tokio::test]
async fn new_access_is_found_in_its_statement() {
    let (_server, client) = server().await;
    let statement = |actions: &[&str]| {
        json!({"Effect": "Allow", "Action": actions,
            "Resource": ["arn:aws:s3:::amzn-s3-demo-bucket", "arn:aws:s3:::amzn-s3-demo-bucket/*"]})
    };
    let few = statement(&["s3:GetObject", "s3:ListBucket"]);
    let more = statement(&["s3:GetObject", "s3:GetObjectAcl", "s3:ListBucket"]);
    assert_eq!(
        new_access(&client, &few, &json!([more])).await,
        json!({
            "result": "FAIL",
            "message": "The modified permissions grant new access compared to your existing policy.",
            "reasons": [{"description": "New access in the statement with index: 0.", "statementIndex": 0}],
        })
    );
    let mut named = more.clone();
    named["Sid"] = json!("Wide");
    let description = "New access in the statement with sid: Wide.";
    assert_eq!(
        new_access(&client, &few, &json!([few, named])).await["reasons"],
        json!([{"description": description, "statementIndex": 1, "statementId": "Wide"}])
    );
    let message = "The modified permissions do not grant new access compared to your existing policy.";
    assert_eq!(new_access(&client, &more, &few).await, json!({"result": "PASS", "message": message}));
}

/// `FAIL` is said of what might be (Access Analyzer API Reference, CheckNoNewAccess).
#[tokio::test]
async fn what_cannot_be_ruled_out_fails_and_says_so() {
    let (_server, client) = server().await;
    let statement = |values: &[&str]| {
        json!({"Effect": "Allow", "Action": "s3:*", "Resource": "*",
            "Condition": {"StringEquals": {"s3:prefix": values}, "NumericLessThan": {"s3:prefix": "5"}}})
    };
    let (old, new) = (statement(&["${aws:username}"]), statement(&["x", "${aws:username}"]));
    let answer = new_access(&client, &old, &new).await;
    assert_eq!(answer["result"], "FAIL");
    assert!(answer["message"].as_str().unwrap().contains("might grant new access"), "{answer}");
    let reason = answer["reasons"][0]["description"].as_str().unwrap();
    assert!(reason.starts_with("It cannot be ruled out: the key `s3:prefix`"), "{answer}");
}

/// What the SDKs' documentation asks of a bucket's policy.
fn of_bucket(access: &Value) -> Value {
    let document = policy(&json!([{"Sid": "AllowJohnDoe", "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::123456789012:user/JohnDoe"},
        "Action": "s3:PutObject", "Resource": "arn:aws:s3:::my-bucket/*"}]));
    json!({"policyDocument": document, "access": access, "policyType": "RESOURCE_POLICY"})
}

#[tokio::test]
async fn access_is_granted_where_some_of_it_is() {
    let (_server, client) = server().await;
    let access = json!([{"resources": ["arn:aws:s3:::my-bucket/*"]}]);
    let reason = "One or more of the listed actions or resources in the statement with sid: AllowJohnDoe.";
    assert_eq!(
        ask(&client, NOT_GRANTED, &of_bucket(&access)).await,
        json!({
            "result": "FAIL",
            "message": "The policy document grants access to perform one or more of the listed actions or resources.",
            "reasons": [{"description": reason, "statementId": "AllowJohnDoe", "statementIndex": 0}],
        })
    );
    let message = "The policy document does not grant access to perform the listed actions or resources.";
    for access in [
        json!([{"resources": ["arn:aws:s3:::sensitive-bucket/*"]}]),
        json!([{"actions": ["s3:GetObject", "iam:*"]}]),
        json!([{"actions": ["s3:PutObject"], "resources": ["arn:aws:s3:::other/*"]}]),
    ] {
        let answer = ask(&client, NOT_GRANTED, &of_bucket(&access)).await;
        assert_eq!(answer, json!({"result": "PASS", "message": message}), "{access}");
    }
}

#[tokio::test]
async fn what_may_be_asked_about_has_limits() {
    let (_server, client) = server().await;
    for (access, code) in [
        (json!([]), "InvalidParameterException"),
        (json!([{}]), "InvalidParameterException"),
        (json!([{"actions": ["everything"]}]), "InvalidParameterException"),
        (json!([{"resources": ["my-bucket"]}]), "InvalidParameterException"),
        (json!([{"resources": ["arn:aws:sqs:*:123456789012:q"]}]), "InvalidParameterException"),
        (json!([{"actions": ["s3:Get*"]}, {"actions": ["s3:Put*"]}]), "ValidationException"),
        (json!([{"actions": vec!["s3:Get*"; 101]}]), "ValidationException"),
        (json!([{"resources": [format!("arn:aws:s3:::{}", "b".repeat(2048))]}]), "ValidationException"),
    ] {
        let answer = client.rest("accessanalyzer", "POST", NOT_GRANTED, "", &of_bucket(&access)).await;
        assert_eq!(answer.refused().0, code, "{access}");
    }
}

/// The examples of AWS's SDKs and of the AWS CLI; a policy may leave out the resource that it hangs on.
#[tokio::test]
async fn public_access_is_found_in_its_statement() {
    let (_server, client) = server().await;
    let input = |principal: Value, action: &str, kind: &str| {
        let statement =
            json!([{"Sid": "Bob", "Effect": "Allow", "Principal": principal, "Action": [action]}]);
        json!({"policyDocument": policy(&statement), "resourceType": kind})
    };
    let bucket = |principal: Value| input(principal, "s3:GetObject", "AWS::S3::Bucket");
    let reason = "Public access granted in the following statement with sid: Bob.";
    assert_eq!(
        ask(&client, PUBLIC, &bucket(json!("*"))).await,
        json!({
            "result": "FAIL",
            "message": "The resource policy grants public access for the given resource type.",
            "reasons": [{"description": reason, "statementId": "Bob", "statementIndex": 0}],
        })
    );
    let message = "The resource policy does not grant public access for the given resource type.";
    assert_eq!(
        ask(&client, PUBLIC, &bucket(json!({"AWS": "arn:aws:iam::111122223333:user/JohnDoe"}))).await,
        json!({"result": "PASS", "message": message})
    );
    let trust = |kind: &str| input(json!({"Service": "ec2.amazonaws.com"}), "sts:AssumeRole", kind);
    let answer = ask(&client, PUBLIC, &trust("AWS::IAM::AssumeRolePolicyDocument")).await;
    assert_eq!(answer["result"], "PASS");
    let answer = client.rest("accessanalyzer", "POST", PUBLIC, "", &trust("AWS::EC2::Instance")).await;
    assert_eq!(answer.refused().0, "ValidationException");
}

#[tokio::test]
async fn each_check_asks_for_its_own_permission_and_takes_policies_only() {
    let (server, client) = server().await;
    let nobody = server.user("nobody", &[]).await;
    let inputs = |statement: &Value| {
        let document = policy(statement);
        let kind = "IDENTITY_POLICY";
        [
            json!({"existingPolicyDocument": document, "newPolicyDocument": document, "policyType": kind}),
            json!({"policyDocument": document, "access": [{"actions": ["s3:*"]}], "policyType": kind}),
            json!({"policyDocument": document, "resourceType": "AWS::SQS::Queue"}),
        ]
    };
    let good = inputs(&json!({"Effect": "Deny", "Action": "*", "Resource": "*"}));
    let malformed = inputs(&json!({"Effect": "Maybe", "Action": "*", "Resource": "*"}));
    for (path, action, (input, malformed)) in [
        (NEW_ACCESS, "CheckNoNewAccess"),
        (NOT_GRANTED, "CheckAccessNotGranted"),
        (PUBLIC, "CheckNoPublicAccess"),
    ]
    .into_iter()
    .zip(good.iter().zip(&malformed))
    .map(|((path, action), inputs)| (path, action, inputs))
    {
        let refused = nobody.rest("accessanalyzer", "POST", path, "", input).await.refused();
        let expected = format!("is not authorized to perform: access-analyzer:{action} because");
        assert!(refused.0 == "AccessDeniedException" && refused.1.contains(&expected), "{refused:?}");
        let refused = client.rest("accessanalyzer", "POST", path, "", malformed).await.refused();
        assert_eq!(refused.0, "InvalidParameterException", "{refused:?}");
    }
}
