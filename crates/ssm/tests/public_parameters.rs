//! The public parameters through the whole gate.
#![expect(clippy::unwrap_used, reason = "tests may panic")]

use daypass_core::image::public_images;
use daypass_core::testing::{Client, TestServer};
use serde_json::{Value, json};

const PATH: &str = "/aws/service/ami-amazon-linux-latest";

/// The name that most configurations ask for, on a host of this architecture.
fn name() -> String {
    let arch = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
    format!("{PATH}/al2023-ami-kernel-default-{arch}")
}

async fn server() -> TestServer {
    TestServer::new(daypass_ssm::OPERATIONS.iter().copied()).await
}

async fn ok(client: &Client, operation: &str, input: Value) -> Value {
    serde_json::from_str(&client.json("ssm", operation, &input).await.ok().body).unwrap()
}

async fn refused(client: &Client, operation: &str, input: Value) -> (u16, String, String) {
    let answer = client.json("ssm", operation, &input).await;
    let (code, message) = answer.refused();
    (answer.status, code, message)
}

#[tokio::test]
async fn a_parameter_tells_the_image_that_ec2_launches() {
    let server = server().await;
    let admin = server.administrator().await;
    let image = public_images("us-east-1").into_iter().find(|i| i.parameters.contains(&name())).unwrap();
    let read = ok(&admin, "GetParameter", json!({"Name": name()})).await;
    let parameter = &read["Parameter"];
    assert_eq!(parameter["Value"], image.id);
    assert_eq!(parameter["Name"], name());
    assert_eq!((&parameter["Type"], &parameter["DataType"]), (&json!("String"), &json!("text")));
    assert_eq!((&parameter["Version"], parameter.get("Selector")), (&json!(1), None));
    assert_eq!(parameter["ARN"], format!("arn:aws:ssm:us-east-1::parameter{}", name()));
    assert!(parameter["LastModifiedDate"].is_number());
}

#[tokio::test]
async fn the_same_parameter_by_version_and_by_arn() {
    let server = server().await;
    let admin = server.administrator().await;
    let plain = ok(&admin, "GetParameter", json!({"Name": name()})).await["Parameter"]["Value"].clone();
    let arn = format!("arn:aws:ssm:us-east-1::parameter{}", name());
    for (asked, selector) in [
        (format!("{}:1", name()), json!(":1")),
        (arn.clone(), Value::Null),
        (format!("{arn}:1"), json!(":1")),
    ] {
        let read = ok(&admin, "GetParameter", json!({"Name": asked})).await;
        assert_eq!(read["Parameter"]["Value"], plain, "{asked}");
        assert_eq!(read["Parameter"].get("Selector").cloned().unwrap_or_default(), selector, "{asked}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_refused_in_aws_s_words() {
    let server = server().await;
    let admin = server.administrator().await;
    for (asked, code) in [
        ("/aws/service/nothing".to_owned(), "ParameterNotFound"),
        ("/my/own".to_owned(), "ParameterNotFound"),
        ("plain".to_owned(), "ParameterNotFound"),
        (PATH.to_owned(), "ParameterNotFound"),
        (format!("{}/", name()), "ParameterNotFound"),
        ("arn:aws:ssm:eu-west-1::parameter/aws/service/x".to_owned(), "ParameterNotFound"),
        (format!("{}:2", name()), "ParameterVersionNotFound"),
        (format!("{}:newest", name()), "ParameterVersionNotFound"),
        ("a/b".to_owned(), "ValidationException"),
        (String::new(), "ValidationException"),
    ] {
        let (status, found, _) = refused(&admin, "GetParameter", json!({"Name": asked})).await;
        assert_eq!((status, found.as_str()), (400, code), "{asked}");
    }
}

#[tokio::test]
async fn several_are_told_with_those_that_are_missing() {
    let server = server().await;
    let admin = server.administrator().await;
    let names = json!({"Names": [name(), "/aws/service/nothing", name()]});
    let read = ok(&admin, "GetParameters", names).await;
    assert_eq!(read["Parameters"].as_array().unwrap().len(), 1);
    assert_eq!(read["InvalidParameters"], json!(["/aws/service/nothing"]));
    let many: Vec<String> = (0..11).map(|i| format!("/p/{i}")).collect();
    let (status, code, _) = refused(&admin, "GetParameters", json!({"Names": many})).await;
    assert_eq!((status, code.as_str()), (400, "ValidationException"));
}

#[tokio::test]
async fn a_path_lists_what_is_below_it() {
    let server = server().await;
    let admin = server.administrator().await;
    let all: usize = public_images("us-east-1").iter().map(|i| i.parameters.len()).sum();
    let below = public_images("us-east-1")
        .iter()
        .flat_map(|i| i.parameters.clone())
        .filter(|p| p.starts_with(&format!("{PATH}/")))
        .count();
    for (input, expected) in [
        (json!({"Path": PATH}), below),
        (json!({"Path": format!("{PATH}/")}), below),
        (json!({"Path": "/aws/service"}), 0),
        (json!({"Path": "/aws/service/ami-amazon"}), 0),
        (json!({"Path": "/my", "Recursive": true}), 0),
        (json!({"Path": PATH, "ParameterFilters": [{"Key": "Type", "Values": ["String"]}]}), below),
        (json!({"Path": PATH, "ParameterFilters": [{"Key": "Type", "Values": ["SecureString"]}]}), 0),
        (json!({"Path": PATH, "ParameterFilters": [{"Key": "Label", "Values": ["x"]}]}), 0),
    ] {
        let read = ok(&admin, "GetParametersByPath", input.clone()).await;
        assert_eq!(read["Parameters"].as_array().unwrap().len(), expected, "{input}");
    }
    let (mut names, mut token) = (vec![], Value::Null);
    loop {
        let mut input = json!({"Path": "/aws", "Recursive": true, "MaxResults": 3});
        if token.is_string() {
            input["NextToken"] = token;
        }
        let read = ok(&admin, "GetParametersByPath", input).await;
        let page = read["Parameters"].as_array().unwrap().clone();
        assert!(page.len() <= 3);
        names.extend(page.iter().map(|p| p["Name"].as_str().unwrap().to_owned()));
        token = read["NextToken"].clone();
        if !token.is_string() {
            break;
        }
    }
    assert_eq!(names.len(), all);
    assert!(names.is_sorted());
}

#[tokio::test]
async fn a_wrong_path_filter_or_token_is_refused() {
    let server = server().await;
    let admin = server.administrator().await;
    for (input, code) in [
        (json!({"Path": "aws"}), "ValidationException"),
        (json!({"Path": "/a//b"}), "ValidationException"),
        (json!({"Path": "/a*"}), "ValidationException"),
        (json!({"Path": PATH, "MaxResults": 11}), "ValidationException"),
        (json!({"Path": PATH, "NextToken": "x"}), "InvalidNextToken"),
        (json!({"Path": PATH, "ParameterFilters": [{"Key": "Tier", "Values": ["x"]}]}), "InvalidFilterKey"),
        (
            json!({"Path": PATH, "ParameterFilters": [{"Key": "Type", "Option": "Has", "Values": ["x"]}]}),
            "InvalidFilterOption",
        ),
    ] {
        let (status, found, _) = refused(&admin, "GetParametersByPath", input.clone()).await;
        assert_eq!((status, found.as_str()), (400, code), "{input}");
    }
}

#[tokio::test]
async fn a_policy_names_public_parameters_without_an_account() {
    let server = server().await;
    let allow = |resource: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"ssm:*","Resource":"{resource}"}}}}"#
        )
    };
    let public = server.user("bob", &[("p", &allow("arn:aws:ssm:*::parameter/aws/service/*"))]).await;
    let own = server.user("eve", &[("p", &allow("arn:aws:ssm:*:123456789012:parameter/*"))]).await;
    ok(&public, "GetParameter", json!({"Name": name()})).await;
    ok(&public, "GetParameters", json!({"Names": [name()]})).await;
    ok(&public, "GetParametersByPath", json!({"Path": PATH})).await;
    let both = json!({"Names": [name(), "/my/own"]});
    for (client, operation, input) in [
        (&own, "GetParameter", json!({"Name": name()})),
        (&own, "GetParameters", json!({"Names": [name()]})),
        (&own, "GetParameters", both.clone()),
        (&own, "GetParametersByPath", json!({"Path": PATH})),
        (&public, "GetParameters", both),
        (&public, "GetParameter", json!({"Name": "/my/own"})),
        (&public, "GetParametersByPath", json!({"Path": "/"})),
    ] {
        let (status, code, _) = refused(client, operation, input.clone()).await;
        assert_eq!((status, code.as_str()), (400, "AccessDeniedException"), "{operation} {input}");
    }
    // Whoever may nothing does not learn what is there.
    let (.., there) = refused(&own, "GetParameter", json!({"Name": name()})).await;
    let (.., missing) = refused(&own, "GetParameter", json!({"Name": "/aws/service/nothing"})).await;
    assert_eq!(there.replace(&name(), "…"), missing.replace("/aws/service/nothing", "…"));
}

#[tokio::test]
async fn the_list_of_what_is_built_is_the_model_s() {
    let names: Vec<&str> = daypass_ssm::OPERATIONS.iter().map(|entry| entry.operation().name).collect();
    assert_eq!(names, include_str!("../../../models/ssm.ops").lines().collect::<Vec<_>>());
}
