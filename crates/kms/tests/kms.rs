//! Keys through the whole gate: what becomes of them, what they seal, whom their policies let, and what nobody may.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may panic")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use daypass_core::kms::{Constraint, Key};
use daypass_core::model::services;
use daypass_core::store::records::User;
use daypass_core::store::{Read as _, StoreError, TransactError};
use daypass_core::testing::{Client, TestServer};
use serde_json::{Value, json};

const ALL: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;

struct Keys {
    server: TestServer,
    administrator: Client,
}

async fn keys() -> Keys {
    let server = TestServer::new(daypass_kms::OPERATIONS.iter().copied()).await;
    let administrator = server.administrator().await;
    Keys { server, administrator }
}

async fn ask(client: &Client, operation: &str, input: Value) -> Value {
    let answer = client.json("kms", operation, &input).await.ok();
    serde_json::from_str(&answer.body).unwrap_or(Value::Null)
}

async fn refused(client: &Client, operation: &str, input: Value) -> (String, String) {
    client.json("kms", operation, &input).await.refused()
}

async fn code(client: &Client, operation: &str, input: Value) -> String {
    refused(client, operation, input).await.0
}

impl Keys {
    async fn ok(&self, operation: &str, input: Value) -> Value {
        ask(&self.administrator, operation, input).await
    }

    async fn code(&self, operation: &str, input: Value) -> String {
        code(&self.administrator, operation, input).await
    }

    /// A key with this policy, or with the default one; its id.
    async fn make(&self, policy: Option<Value>) -> String {
        let mut input = json!({"BypassPolicyLockoutSafetyCheck": true});
        if let Some(policy) = policy {
            input["Policy"] = policy.to_string().into();
        }
        self.ok("CreateKey", input).await["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned()
    }

    async fn encrypt(&self, key: &str, context: Value) -> String {
        let input = json!({"KeyId": key, "Plaintext": BASE64.encode("hello"), "EncryptionContext": context});
        self.ok("Encrypt", input).await["CiphertextBlob"].as_str().unwrap().to_owned()
    }
}

fn arn(id: &str) -> String {
    format!("arn:aws:kms:us-east-1:123456789012:key/{id}")
}

fn user(name: &str) -> String {
    format!("arn:aws:iam::123456789012:user/{name}")
}

fn allow(principal: &str, action: &str) -> Value {
    json!({"Effect": "Allow", "Principal": {"AWS": principal}, "Action": action, "Resource": "*"})
}

fn policy(statements: &[Value]) -> Option<Value> {
    Some(json!({"Version": "2012-10-17", "Statement": statements}))
}

const ROOT: &str = "arn:aws:iam::123456789012:root";

#[tokio::test]
async fn a_key_is_made_named_switched_off_and_deleted_in_time() {
    let keys = keys().await;
    let made =
        keys.ok("CreateKey", json!({"Description": "d", "Tags": [{"TagKey": "a", "TagValue": "b"}]})).await;
    let key = &made["KeyMetadata"];
    let id = key["KeyId"].as_str().unwrap();
    for (member, expected) in [
        ("AWSAccountId", json!("123456789012")),
        ("Arn", json!(arn(id))),
        ("CreationDate", json!(1_795_313_640.0)),
        ("Enabled", json!(true)),
        ("Description", json!("d")),
        ("KeyUsage", json!("ENCRYPT_DECRYPT")),
        ("KeyState", json!("Enabled")),
        ("Origin", json!("AWS_KMS")),
        ("KeyManager", json!("CUSTOMER")),
        ("KeySpec", json!("SYMMETRIC_DEFAULT")),
        ("CustomerMasterKeySpec", json!("SYMMETRIC_DEFAULT")),
        ("EncryptionAlgorithms", json!(["SYMMETRIC_DEFAULT"])),
        ("MultiRegion", json!(false)),
    ] {
        let is =
            if member == "CreationDate" { json!(key[member].as_f64().unwrap()) } else { key[member].clone() };
        assert_eq!(is, expected, "{member}");
    }
    keys.ok("CreateAlias", json!({"AliasName": "alias/mine", "TargetKeyId": id})).await;
    for name in [id, &arn(id), "alias/mine", "arn:aws:kms:us-east-1:123456789012:alias/mine"] {
        let shown = keys.ok("DescribeKey", json!({"KeyId": name})).await;
        assert_eq!(shown["KeyMetadata"]["KeyId"], *id, "{name}");
    }
    assert_eq!(keys.ok("ListKeys", json!({})).await["Keys"], json!([{"KeyId": id, "KeyArn": arn(id)}]));
    keys.ok("UpdateKeyDescription", json!({"KeyId": id, "Description": "e"})).await;
    let sealed = keys.encrypt(id, json!({})).await;
    keys.ok("DisableKey", json!({"KeyId": id})).await;
    let words = format!("{} is disabled.", arn(id));
    let decrypt = json!({"CiphertextBlob": sealed});
    let said = refused(&keys.administrator, "Decrypt", decrypt.clone()).await;
    assert_eq!(said, ("DisabledException".to_owned(), words));
    let shown = keys.ok("DescribeKey", json!({"KeyId": id})).await["KeyMetadata"].clone();
    assert_eq!((&shown["KeyState"], &shown["Enabled"]), (&json!("Disabled"), &json!(false)));
    assert_eq!(shown["Description"], "e");
    keys.ok("EnableKey", json!({"KeyId": id})).await;
    assert_eq!(
        keys.code("ScheduleKeyDeletion", json!({"KeyId": id, "PendingWindowInDays": 6})).await,
        "ValidationException"
    );
    let scheduled = keys.ok("ScheduleKeyDeletion", json!({"KeyId": id, "PendingWindowInDays": 7})).await;
    assert_eq!(scheduled["KeyState"], "PendingDeletion");
    assert_eq!(keys.code("Decrypt", decrypt.clone()).await, "KMSInvalidStateException");
    assert_eq!(keys.code("EnableKey", json!({"KeyId": id})).await, "KMSInvalidStateException");
    keys.ok("CancelKeyDeletion", json!({"KeyId": id})).await;
    assert_eq!(keys.code("Decrypt", decrypt.clone()).await, "DisabledException");
    keys.ok("EnableKey", json!({"KeyId": id})).await;
    assert_eq!(keys.ok("Decrypt", decrypt.clone()).await["Plaintext"], BASE64.encode("hello"));
    keys.ok("ScheduleKeyDeletion", json!({"KeyId": id, "PendingWindowInDays": 7})).await;
    keys.server.clock.advance(7 * 86_400 + 1);
    let administrator = keys.server.administrator().await;
    assert_eq!(
        code(&administrator, "Decrypt", decrypt.clone()).await,
        "NotFoundException",
        "it is gone on time"
    );
    daypass_kms::upkeep(keys.server.gate.state()).await.unwrap();
    for name in [id, "alias/mine"] {
        assert_eq!(code(&administrator, "DescribeKey", json!({"KeyId": name})).await, "NotFoundException");
    }
    let left = ask(&administrator, "ListAliases", json!({})).await["Aliases"].clone();
    let unused =
        json!([{"AliasArn": "arn:aws:kms:us-east-1:123456789012:alias/aws/s3", "AliasName": "alias/aws/s3"}]);
    assert_eq!(left, unused, "only what AWS named before anybody used it, for no key");
}

#[tokio::test]
async fn what_is_sealed_opens_under_its_context_alone_and_is_in_no_record() {
    let keys = keys().await;
    let (id, other) = (keys.make(None).await, keys.make(None).await);
    let context = json!({"a": "b"});
    let sealed = keys.encrypt(&id, context.clone()).await;
    let opened = keys.ok("Decrypt", json!({"CiphertextBlob": sealed, "EncryptionContext": context})).await;
    assert_eq!((&opened["Plaintext"], &opened["KeyId"]), (&json!(BASE64.encode("hello")), &json!(arn(&id))));
    for (input, expected) in [
        (json!({"CiphertextBlob": sealed}), "InvalidCiphertextException"),
        (json!({"CiphertextBlob": sealed, "EncryptionContext": {"a": "c"}}), "InvalidCiphertextException"),
        (
            json!({"CiphertextBlob": BASE64.encode("x"), "EncryptionContext": context}),
            "InvalidCiphertextException",
        ),
        (
            json!({"CiphertextBlob": sealed, "EncryptionContext": context, "KeyId": other}),
            "IncorrectKeyException",
        ),
        (
            json!({"CiphertextBlob": sealed, "EncryptionContext": context, "DryRun": true}),
            "DryRunOperationException",
        ),
    ] {
        assert_eq!(keys.code("Decrypt", input.clone()).await, expected, "{input}");
    }
    let again = keys
        .ok(
            "ReEncrypt",
            json!({"CiphertextBlob": sealed, "SourceEncryptionContext": context, "DestinationKeyId": other,
                   "DestinationEncryptionContext": {"c": "d"}}),
        )
        .await;
    assert_eq!((&again["SourceKeyId"], &again["KeyId"]), (&json!(arn(&id)), &json!(arn(&other))));
    let moved = json!({"CiphertextBlob": again["CiphertextBlob"], "EncryptionContext": {"c": "d"}});
    assert_eq!(keys.ok("Decrypt", moved).await["Plaintext"], BASE64.encode("hello"));
    let data = keys.ok("GenerateDataKey", json!({"KeyId": id, "KeySpec": "AES_256"})).await;
    let opened = keys.ok("Decrypt", json!({"CiphertextBlob": data["CiphertextBlob"]})).await;
    assert_eq!(opened["Plaintext"], data["Plaintext"]);
    assert_eq!(BASE64.decode(data["Plaintext"].as_str().unwrap()).unwrap().len(), 32);
    let sealed_only =
        keys.ok("GenerateDataKeyWithoutPlaintext", json!({"KeyId": id, "NumberOfBytes": 64})).await;
    assert!(sealed_only["Plaintext"].is_null());
    assert_eq!(keys.code("GenerateDataKey", json!({"KeyId": id})).await, "ValidationException");
    let random = keys.ok("GenerateRandom", json!({"NumberOfBytes": 48})).await;
    assert_eq!(BASE64.decode(random["Plaintext"].as_str().unwrap()).unwrap().len(), 48);
    for record in keys.server.audit() {
        let text = format!("{record:?}");
        for secret in [
            &BASE64.encode("hello"),
            data["Plaintext"].as_str().unwrap(),
            random["Plaintext"].as_str().unwrap(),
        ] {
            assert!(!text.contains(secret), "{text}");
        }
    }
}

#[tokio::test]
async fn the_key_policy_is_the_root_of_trust() {
    let keys = keys().await;
    let alice = keys.server.user("alice", &[("all", ALL)]).await;
    let bob = keys.server.user("bob", &[]).await;
    let of_bob = "arn:aws:iam::123456789012:user/bob";
    let deny =
        json!({"Effect": "Deny", "Principal": {"AWS": of_bob}, "Action": "kms:Encrypt", "Resource": "*"});
    let delegated = keys.make(None).await;
    let closed = keys.make(policy(&[allow(of_bob, "kms:Encrypt")])).await;
    let both = keys.make(policy(&[allow(ROOT, "kms:*"), allow(of_bob, "kms:*"), deny])).await;
    for (client, name, key, allowed) in [
        (&alice, "alice", &delegated, true),
        (&alice, "alice", &closed, false),
        (&bob, "bob", &delegated, false),
        (&bob, "bob", &closed, true),
        (&bob, "bob", &both, false),
        (&alice, "alice", &both, true),
        (&keys.administrator, "administrator", &closed, false),
    ] {
        let input = json!({"KeyId": key, "Plaintext": "aGVsbG8="});
        let answer = client.json("kms", "Encrypt", &input).await;
        assert_eq!(answer.status == 200, allowed, "{name} {key}: {}", answer.body);
        if !allowed {
            let (code, words) = answer.refused();
            assert_eq!(code, "AccessDeniedException");
            assert!(
                words.contains("is not authorized to perform: kms:Encrypt on resource: arn:aws:kms:"),
                "{words}"
            );
        }
    }
    let unknown = json!({"KeyId": "1234abcd-12ab-34cd-56ef-1234567890ab", "Plaintext": "aGVsbG8="});
    let (missing, words) = refused(&alice, "Encrypt", unknown.clone()).await;
    assert_eq!(missing, "NotFoundException");
    assert_eq!(words, format!("Key '{}' does not exist", arn("1234abcd-12ab-34cd-56ef-1234567890ab")));
    assert_eq!(
        code(&bob, "Encrypt", unknown).await,
        "AccessDeniedException",
        "who may not ask learns nothing"
    );
}

#[tokio::test]
async fn another_account_uses_a_key_where_both_sides_let_it_and_never_manages_it() {
    let keys = keys().await;
    let other = "999988887777".parse().unwrap();
    let mallory = keys.server.user_of(&other, "mallory", &[("all", ALL)]).await;
    let poor = keys.server.user_of(&other, "poor", &[]).await;
    let shared = keys.make(policy(&[allow(ROOT, "kms:*"), allow("999988887777", "kms:*")])).await;
    let own = keys.make(None).await;
    let sealed = keys.encrypt(&shared, json!({})).await;
    let hidden = keys.encrypt(&own, json!({})).await;
    assert_eq!(ask(&mallory, "Decrypt", json!({"CiphertextBlob": sealed})).await["Plaintext"], "aGVsbG8=");
    for (client, operation, input) in [
        (&poor, "Decrypt", json!({"CiphertextBlob": sealed})),
        (&mallory, "Decrypt", json!({"CiphertextBlob": hidden})),
        (&mallory, "DescribeKey", json!({"KeyId": arn(&own)})),
        (&mallory, "DisableKey", json!({"KeyId": arn(&shared)})),
        (&mallory, "ScheduleKeyDeletion", json!({"KeyId": arn(&shared)})),
        (&mallory, "PutKeyPolicy", json!({"KeyId": arn(&shared), "Policy": "{}"})),
        (&mallory, "CreateAlias", json!({"AliasName": "alias/x", "TargetKeyId": arn(&shared)})),
    ] {
        assert_eq!(code(client, operation, input).await, "AccessDeniedException", "{operation}");
    }
    let named = json!({"KeyId": shared});
    assert_eq!(
        code(&mallory, "DescribeKey", named).await,
        "NotFoundException",
        "an id is of the own account"
    );
    assert_eq!(ask(&mallory, "ListKeys", json!({})).await["Keys"], json!([]));
}

#[tokio::test]
async fn policies_know_the_context_the_alias_and_the_caller() {
    let keys = keys().await;
    keys.server.user("alice", &[]).await;
    for (condition, context, name, allowed) in [
        (json!({"StringEquals": {"kms:EncryptionContext:app": "x"}}), json!({"app": "x"}), "id", true),
        (json!({"StringEquals": {"kms:EncryptionContext:app": "x"}}), json!({"app": "y"}), "id", false),
        (json!({"StringEquals": {"kms:EncryptionContext:app": "x"}}), json!({}), "id", false),
        (
            json!({"ForAnyValue:StringEquals": {"kms:EncryptionContextKeys": "app"}}),
            json!({"app": "y"}),
            "id",
            true,
        ),
        (
            json!({"ForAnyValue:StringEquals": {"kms:EncryptionContextKeys": "app"}}),
            json!({"b": "y"}),
            "id",
            false,
        ),
        (json!({"StringEquals": {"kms:RequestAlias": "alias/k"}}), json!({}), "alias", true),
        (json!({"StringEquals": {"kms:RequestAlias": "alias/k"}}), json!({}), "id", false),
        (json!({"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/k"}}), json!({}), "id", true),
        (json!({"ForAnyValue:StringEquals": {"kms:ResourceAliases": "alias/q"}}), json!({}), "id", false),
        (json!({"StringEquals": {"kms:CallerAccount": "123456789012"}}), json!({}), "id", true),
        (json!({"StringEquals": {"kms:CallerAccount": "999988887777"}}), json!({}), "id", false),
        (json!({"StringEquals": {"kms:KeySpec": "SYMMETRIC_DEFAULT"}}), json!({}), "id", true),
        (json!({"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}), json!({}), "id", false),
        (json!({"StringEquals": {"aws:ResourceTag/team": "blue"}}), json!({}), "id", true),
    ] {
        let mut statement = allow("arn:aws:iam::123456789012:user/alice", "kms:Encrypt");
        statement["Condition"] = condition.clone();
        let id = keys.make(policy(&[allow(ROOT, "kms:*"), statement])).await;
        keys.ok("TagResource", json!({"KeyId": id, "Tags": [{"TagKey": "team", "TagValue": "blue"}]})).await;
        keys.ok("CreateAlias", json!({"AliasName": "alias/k", "TargetKeyId": id})).await;
        let key = if name == "id" { id.as_str() } else { "alias/k" };
        let alice = keys.server.user("alice", &[]).await;
        let input = json!({"KeyId": key, "Plaintext": "aGVsbG8=", "EncryptionContext": context});
        let answer = alice.json("kms", "Encrypt", &input).await;
        assert_eq!(answer.status == 200, allowed, "{condition} {context}: {}", answer.body);
        keys.ok("DeleteAlias", json!({"AliasName": "alias/k"})).await;
    }
}

#[tokio::test]
async fn nobody_locks_a_key_by_mistake() {
    let keys = keys().await;
    let id = keys.make(None).await;
    keys.server.user("bob", &[]).await;
    let closed = policy(&[allow("arn:aws:iam::123456789012:user/bob", "kms:*")]).unwrap().to_string();
    let put = |bypass: bool| json!({"KeyId": id, "Policy": closed, "BypassPolicyLockoutSafetyCheck": bypass});
    assert_eq!(keys.code("PutKeyPolicy", put(false)).await, "MalformedPolicyDocumentException");
    assert_eq!(keys.code("CreateKey", json!({"Policy": closed})).await, "MalformedPolicyDocumentException");
    let default = keys.ok("GetKeyPolicy", json!({"KeyId": id})).await["Policy"].as_str().unwrap().to_owned();
    assert!(default.contains("Enable IAM User Permissions") && default.contains(ROOT), "{default}");
    for (text, expected) in [
        ("{", "MalformedPolicyDocumentException"),
        ("{}", "MalformedPolicyDocumentException"),
        (&closed.replace("user/bob", "user/nobody"), "MalformedPolicyDocumentException"),
        (&closed.replace("kms:*", &format!("kms:{}", "a".repeat(33 << 10))), "LimitExceededException"),
    ] {
        let input = json!({"KeyId": id, "Policy": text, "BypassPolicyLockoutSafetyCheck": true});
        assert_eq!(keys.code("PutKeyPolicy", input).await, expected);
    }
    let open = policy(&[allow(ROOT, "kms:*"), allow("arn:aws:iam::123456789012:user/bob", "kms:Decrypt")]);
    keys.ok("PutKeyPolicy", json!({"KeyId": id, "Policy": open.unwrap().to_string()})).await;
    let shown = keys.ok("GetKeyPolicy", json!({"KeyId": id, "PolicyName": "default"})).await;
    assert!(shown["Policy"].as_str().unwrap().contains("user/bob"), "principals are shown as ARNs: {shown}");
    assert_eq!(keys.ok("ListKeyPolicies", json!({"KeyId": id})).await["PolicyNames"], json!(["default"]));
    keys.ok("PutKeyPolicy", put(true)).await;
    assert_eq!(keys.code("GetKeyPolicy", json!({"KeyId": id})).await, "AccessDeniedException");
}

#[tokio::test]
async fn aliases_stand_for_one_key_at_a_time() {
    let keys = keys().await;
    let (one, two) = (keys.make(None).await, keys.make(None).await);
    let alias = |name: &str, key: &str| json!({"AliasName": name, "TargetKeyId": key});
    keys.ok("CreateAlias", alias("alias/a", &one)).await;
    for (name, key, expected) in [
        ("alias/a", one.as_str(), "AlreadyExistsException"),
        ("alias/aws/s3", &one, "AccessDeniedException"),
        ("x", &one, "ValidationException"),
        ("alias/a:b", &one, "InvalidAliasNameException"),
        ("alias/b", "alias/a", "NotFoundException"),
        ("alias/b", "1234abcd-12ab-34cd-56ef-1234567890ab", "NotFoundException"),
    ] {
        assert_eq!(keys.code("CreateAlias", alias(name, key)).await, expected, "{name} {key}");
    }
    let listed = keys.ok("ListAliases", json!({"KeyId": one})).await;
    assert_eq!(listed["Aliases"][0]["TargetKeyId"], *one);
    keys.ok("UpdateAlias", alias("alias/a", &two)).await;
    assert_eq!(keys.ok("DescribeKey", json!({"KeyId": "alias/a"})).await["KeyMetadata"]["KeyId"], *two);
    assert_eq!(keys.ok("ListAliases", json!({"KeyId": one})).await["Aliases"], json!([]));
    keys.ok("DeleteAlias", json!({"AliasName": "alias/a"})).await;
    let (code, words) = refused(&keys.administrator, "DescribeKey", json!({"KeyId": "alias/a"})).await;
    assert_eq!(code, "NotFoundException");
    assert_eq!(words, "Alias arn:aws:kms:us-east-1:123456789012:alias/a is not found.");
    let names = ["alias/c", "alias/c-d", "alias/c/d", "alias/c/d-e", "alias/d"];
    for name in names {
        keys.ok("CreateAlias", alias(name, &two)).await;
    }
    let all = ["alias/aws/s3"].iter().chain(&names).copied().collect::<Vec<_>>();
    for (filter, names) in [(json!({}), all.as_slice()), (json!({"KeyId": two}), &names)] {
        let (mut seen, mut marker) = (vec![], Value::Null);
        while seen.is_empty() || !marker.is_null() {
            let mut input = filter.clone();
            input["Limit"] = 1.into();
            if !marker.is_null() {
                input["Marker"] = marker;
            }
            let page = keys.ok("ListAliases", input).await;
            seen.push(page["Aliases"][0]["AliasName"].as_str().unwrap().to_owned());
            assert_eq!(page["Truncated"], json!(seen.len() < names.len()));
            marker = page["NextMarker"].clone();
        }
        seen.sort();
        assert_eq!(seen, names, "each once");
    }
    let first = keys.ok("ListKeys", json!({"Limit": 1})).await;
    let second = keys.ok("ListKeys", json!({"Limit": 1, "Marker": first["NextMarker"]})).await;
    assert_ne!(first["Keys"], second["Keys"]);
    assert_eq!((&first["Truncated"], &second["Truncated"]), (&json!(true), &json!(false)));
    assert_eq!(keys.code("ListAliases", json!({"Marker": "x"})).await, "InvalidMarkerException");
}

#[tokio::test]
async fn the_key_of_s3_comes_to_be_when_it_is_asked_for_and_only_s3_may_use_it() {
    let keys = keys().await;
    let shown = keys.ok("DescribeKey", json!({"KeyId": "alias/aws/s3"})).await["KeyMetadata"].clone();
    assert_eq!(shown["KeyManager"], "AWS");
    let id = shown["KeyId"].as_str().unwrap();
    let status = keys.ok("GetKeyRotationStatus", json!({"KeyId": id})).await;
    assert_eq!((&status["KeyRotationEnabled"], &status["RotationPeriodInDays"]), (&json!(true), &json!(365)));
    for (operation, input) in [
        ("Encrypt", json!({"KeyId": id, "Plaintext": "aGVsbG8="})),
        ("ScheduleKeyDeletion", json!({"KeyId": id})),
        ("PutKeyPolicy", json!({"KeyId": id, "Policy": "{}"})),
        ("DisableKey", json!({"KeyId": id})),
        ("TagResource", json!({"KeyId": id, "Tags": []})),
    ] {
        assert_eq!(keys.code(operation, input).await, "AccessDeniedException", "{operation}");
    }
    assert_eq!(keys.code("DeleteAlias", json!({"AliasName": "alias/aws/s3"})).await, "AccessDeniedException");
    let nobody = keys.server.user_of(&"999988887777".parse().unwrap(), "nobody", &[]).await;
    let revision = keys.server.gate.state().store.revision();
    assert_eq!(code(&nobody, "DescribeKey", json!({"KeyId": "alias/aws/s3"})).await, "AccessDeniedException");
    assert_eq!(keys.server.gate.state().store.revision(), revision, "who may not ask makes nothing");
}

#[tokio::test]
async fn rotated_keys_open_what_they_sealed_before() {
    let keys = keys().await;
    let id = keys.make(None).await;
    let before = keys.encrypt(&id, json!({})).await;
    let first =
        keys.ok("DescribeKey", json!({"KeyId": id})).await["KeyMetadata"]["CurrentKeyMaterialId"].clone();
    keys.ok("EnableKeyRotation", json!({"KeyId": id, "RotationPeriodInDays": 90})).await;
    let status = keys.ok("GetKeyRotationStatus", json!({"KeyId": id})).await;
    assert_eq!((&status["KeyRotationEnabled"], &status["RotationPeriodInDays"]), (&json!(true), &json!(90)));
    keys.ok("RotateKeyOnDemand", json!({"KeyId": id})).await;
    keys.server.clock.advance(90 * 86_400 - 1);
    daypass_kms::upkeep(keys.server.gate.state()).await.unwrap();
    let administrator = keys.server.administrator().await;
    let rotations = async |client: &Client| {
        ask(client, "ListKeyRotations", json!({"KeyId": id})).await["Rotations"].clone()
    };
    assert_eq!(rotations(&administrator).await.as_array().unwrap().len(), 1, "it is not due");
    keys.server.clock.advance(1);
    daypass_kms::upkeep(keys.server.gate.state()).await.unwrap();
    daypass_kms::upkeep(keys.server.gate.state()).await.unwrap();
    let done = rotations(&administrator).await;
    let kinds: Vec<&str> =
        done.as_array().unwrap().iter().map(|r| r["RotationType"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["ON_DEMAND", "AUTOMATIC"]);
    let opened = ask(&administrator, "Decrypt", json!({"CiphertextBlob": before})).await;
    assert_eq!((&opened["Plaintext"], &opened["KeyMaterialId"]), (&json!("aGVsbG8="), &first));
    let now = ask(&administrator, "DescribeKey", json!({"KeyId": id})).await;
    assert_ne!(now["KeyMetadata"]["CurrentKeyMaterialId"], first);
    ask(&administrator, "DisableKeyRotation", json!({"KeyId": id})).await;
    let status = ask(&administrator, "GetKeyRotationStatus", json!({"KeyId": id})).await;
    assert_eq!(status["KeyRotationEnabled"], false);
}

#[tokio::test]
async fn a_grant_gives_one_principal_some_operations_under_some_contexts() {
    let keys = keys().await;
    let id = keys.make(None).await;
    let alice = keys.server.user("alice", &[]).await;
    let bob = keys.server.user("bob", &[]).await;
    let carol = keys.server.user("carol", &[]).await;
    let grant = |constraints: Value| {
        json!({"KeyId": id, "GranteePrincipal": user("alice"), "RetiringPrincipal": user("bob"),
               "Operations": ["Decrypt"], "Constraints": constraints})
    };
    let (wide, exact) = (json!({"a": "b", "c": "d"}), json!({"a": "b"}));
    let sealed_wide = keys.encrypt(&id, wide.clone()).await;
    let sealed_exact = keys.encrypt(&id, exact.clone()).await;
    let decrypt =
        |sealed: &str, context: &Value| json!({"CiphertextBlob": sealed, "EncryptionContext": context});
    assert_eq!(code(&alice, "Decrypt", decrypt(&sealed_exact, &exact)).await, "AccessDeniedException");
    for (constraints, wide_too) in [
        (json!({"EncryptionContextSubset": exact}), true),
        (json!({"EncryptionContextEquals": exact}), false),
    ] {
        let made = keys.ok("CreateGrant", grant(constraints.clone())).await;
        ask(&alice, "Decrypt", decrypt(&sealed_exact, &exact)).await;
        let is = alice.json("kms", "Decrypt", &decrypt(&sealed_wide, &wide)).await.status == 200;
        assert_eq!(is, wide_too, "{constraints}");
        let encrypt = json!({"KeyId": id, "Plaintext": "aGVsbG8=", "EncryptionContext": exact});
        assert_eq!(code(&alice, "Encrypt", encrypt).await, "AccessDeniedException");
        assert_eq!(code(&carol, "Decrypt", decrypt(&sealed_exact, &exact)).await, "AccessDeniedException");
        let listed = keys.ok("ListGrants", json!({"KeyId": id})).await["Grants"].clone();
        assert_eq!(listed[0]["GranteePrincipal"], user("alice"));
        assert_eq!(listed[0]["Constraints"], constraints);
        let retirable = keys.ok("ListRetirableGrants", json!({"RetiringPrincipal": user("bob")})).await;
        assert_eq!(retirable["Grants"][0]["GrantId"], made["GrantId"]);
        let other = keys
            .ok(
                "CreateGrant",
                json!({"KeyId": id, "GranteePrincipal": user("carol"),
            "RetiringPrincipal": user("carol"), "Operations": ["Encrypt", "RetireGrant"]}),
            )
            .await;
        for client in [&alice, &carol] {
            let retire = json!({"GrantToken": made["GrantToken"]});
            assert_eq!(code(client, "RetireGrant", retire).await, "AccessDeniedException", "not theirs");
        }
        let retire = json!({"GrantToken": made["GrantToken"]});
        let both = json!({"KeyId": arn(&id), "GrantId": other["GrantId"]});
        assert_eq!(code(&bob, "RetireGrant", both).await, "AccessDeniedException");
        bob.json("kms", "RetireGrant", &retire).await.ok();
        assert_eq!(code(&alice, "Decrypt", decrypt(&sealed_exact, &exact)).await, "AccessDeniedException");
        keys.ok("RevokeGrant", json!({"KeyId": id, "GrantId": other["GrantId"]})).await;
        assert_eq!(keys.ok("ListGrants", json!({"KeyId": id})).await["Grants"], json!([]));
    }
    let plain = keys.encrypt(&id, json!({})).await;
    for (constraints, without, with) in [
        (json!({"EncryptionContextEquals": {}}), true, false),
        (json!({"EncryptionContextSubset": {}}), true, true),
        (json!({"EncryptionContextEquals": {}, "EncryptionContextSubset": exact}), false, true),
        (json!({}), true, true),
    ] {
        let made = keys.ok("CreateGrant", grant(constraints.clone())).await;
        let is = async |input: Value| alice.json("kms", "Decrypt", &input).await.status == 200;
        assert_eq!(is(json!({"CiphertextBlob": plain})).await, without, "{constraints}");
        assert_eq!(is(decrypt(&sealed_exact, &exact)).await, with, "{constraints}");
        keys.ok("RevokeGrant", json!({"KeyId": id, "GrantId": made["GrantId"]})).await;
    }
    let both = json!({"EncryptionContextEquals": exact, "EncryptionContextSubset": exact});
    assert_eq!(keys.code("CreateGrant", grant(both)).await, "ValidationException");
    for (operations, grantee, expected) in [
        (json!(["CreateGrant"]), user("alice"), "UnsupportedOperationException"),
        (json!(["Sign"]), user("alice"), "UnsupportedOperationException"),
        (json!(["Decrypt"]), user("nobody"), "InvalidArnException"),
        (json!(["Decrypt"]), "x".to_owned(), "InvalidArnException"),
    ] {
        let input = json!({"KeyId": id, "GranteePrincipal": grantee, "Operations": operations});
        assert_eq!(keys.code("CreateGrant", input.clone()).await, expected, "{input}");
    }
}

#[tokio::test]
async fn what_is_not_built_says_so() {
    let keys = keys().await;
    for input in [
        json!({"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"}),
        json!({"KeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"}),
        json!({"Origin": "EXTERNAL"}),
        json!({"MultiRegion": true}),
        json!({"CustomKeyStoreId": "cks-1234567890abcdef0"}),
    ] {
        assert_eq!(keys.code("CreateKey", input.clone()).await, "UnsupportedOperationException", "{input}");
    }
    let input = json!({"KeyId": "x", "Message": "aGVsbG8=", "SigningAlgorithm": "ECDSA_SHA_256"});
    assert_eq!(keys.code("Sign", input).await, "NotImplementedException");
}

#[tokio::test]
async fn who_has_no_rights_may_nothing_and_changes_nothing() {
    let keys = keys().await;
    let id = keys.make(None).await;
    keys.ok("CreateAlias", json!({"AliasName": "alias/a", "TargetKeyId": id})).await;
    let sealed = keys.encrypt(&id, json!({})).await;
    let everything = json!({
        "KeyId": id, "TargetKeyId": id, "DestinationKeyId": id, "AliasName": "alias/a", "CiphertextBlob": sealed,
        "Plaintext": "aGVsbG8=", "Policy": "{}", "GranteePrincipal": ROOT, "RetiringPrincipal": ROOT,
        "Operations": ["Decrypt"], "GrantId": "x", "Description": "x", "Tags": [], "TagKeys": [], "KeySpec": "AES_256",
    });
    let stranger = keys.server.user("stranger", &[]).await;
    let other = keys.server.user_of(&"999988887777".parse().unwrap(), "other", &[]).await;
    let anonymous = keys.server.anonymous();
    let service = services().iter().find(|service| service.name == "kms").unwrap();
    let revision = keys.server.gate.state().store.revision();
    for entry in daypass_kms::OPERATIONS {
        let operation = service.operations.iter().find(|o| o.name == entry.operation().name).unwrap();
        let members = operation.input.members.iter().map(|member| member.name);
        let mut input: serde_json::Map<String, Value> =
            members.filter_map(|name| Some((name.to_owned(), everything.get(name)?.clone()))).collect();
        if operation.name == "CreateKey" {
            input.clear();
        }
        if operation.name == "RetireGrant" {
            input.insert("KeyId".to_owned(), arn(&id).into());
        }
        for client in [&stranger, &other] {
            let is = code(client, operation.name, Value::Object(input.clone())).await;
            assert_eq!(is, "AccessDeniedException", "{}", operation.name);
        }
        let is = code(&anonymous, operation.name, Value::Object(input)).await;
        assert_eq!(is, "MissingAuthenticationTokenException", "{}", operation.name);
    }
    assert_eq!(keys.server.gate.state().store.revision(), revision, "something was changed");
}

#[tokio::test]
async fn what_a_grant_is_constrained_to_is_short() {
    let keys = keys().await;
    let id = keys.make(None).await;
    keys.server.user("alice", &[]).await;
    let pairs = |count: usize| -> Value { (0..count).map(|n| (n.to_string(), json!("x"))).collect() };
    let long = |characters: usize| json!({"ö": "ä".repeat(characters - 1)});
    for (context, expected) in [
        (pairs(8), None),
        (pairs(9), Some("LimitExceededException")),
        (long(384), None),
        (long(385), Some("LimitExceededException")),
    ] {
        for constraint in ["EncryptionContextEquals", "EncryptionContextSubset"] {
            let input = json!({"KeyId": id, "GranteePrincipal": user("alice"), "Operations": ["Decrypt"],
                               "Constraints": {constraint: context}});
            let answer = keys.administrator.json("kms", "CreateGrant", &input).await;
            let refused = (answer.status != 200).then(|| answer.refused().0);
            assert_eq!(refused.as_deref(), expected, "{input}");
        }
    }
    let often = json!({"KeyId": id, "GranteePrincipal": user("alice"), "Operations": vec!["Encrypt"; 1000]});
    let made = keys.ok("CreateGrant", often).await;
    let listed = keys.ok("ListGrants", json!({"KeyId": id, "GrantId": made["GrantId"]})).await;
    assert_eq!(listed["Grants"][0]["Operations"], json!(["Encrypt"]), "each once");
}

#[tokio::test]
async fn a_grant_that_is_no_policy_grants_nothing_and_takes_neither_the_key_nor_other_grants_along() {
    let keys = keys().await;
    let id = keys.make(None).await;
    let alice = keys.server.user("alice", &[]).await;
    let bob = keys.server.user("bob", &[]).await;
    for name in ["alice", "bob"] {
        let input = json!({"KeyId": id, "GranteePrincipal": user(name), "Operations": ["Encrypt"]});
        keys.ok("CreateGrant", input).await;
    }
    let place = Key::key_of(&"123456789012".parse().unwrap(), "us-east-1", &id);
    let kept = keys.server.gate.state().store.transact(|tx| {
        let mut key = tx.get::<Key>(&place)?.unwrap();
        let context = [("a".to_owned(), "x".repeat(600_000))].into();
        key.change_grants(|grants| grants[1].constraint = Some(Constraint::Equals(context)));
        tx.put(&key)
    });
    let kept: Result<(), TransactError<StoreError>> = kept.await;
    kept.unwrap();
    let encrypt = json!({"KeyId": id, "Plaintext": "aGVsbG8="});
    ask(&keys.administrator, "Encrypt", encrypt.clone()).await;
    ask(&alice, "Encrypt", encrypt.clone()).await;
    assert_eq!(code(&bob, "Encrypt", encrypt).await, "AccessDeniedException");
}

#[tokio::test]
async fn a_grants_constraint_is_for_what_has_a_context() {
    let keys = keys().await;
    let id = keys.make(None).await;
    let alice = keys.server.user("alice", &[]).await;
    let sealed = keys.encrypt(&id, json!({})).await;
    for constraint in ["EncryptionContextEquals", "EncryptionContextSubset"] {
        let input = json!({"KeyId": id, "GranteePrincipal": user("alice"),
                           "Operations": ["Decrypt", "DescribeKey", "RetireGrant"],
                           "Constraints": {constraint: {"a": "b"}}});
        let made = keys.ok("CreateGrant", input).await;
        ask(&alice, "DescribeKey", json!({"KeyId": id})).await;
        assert_eq!(code(&alice, "Decrypt", json!({"CiphertextBlob": sealed})).await, "AccessDeniedException");
        alice.json("kms", "RetireGrant", &json!({"GrantToken": made["GrantToken"]})).await.ok();
        assert_eq!(code(&alice, "DescribeKey", json!({"KeyId": id})).await, "AccessDeniedException");
    }
}

#[tokio::test]
async fn who_is_granted_something_is_named_by_an_arn_which_is_what_policies_see() {
    let keys = keys().await;
    let id = keys.make(None).await;
    keys.server.user("alice", &[]).await;
    let read = keys
        .server
        .gate
        .state()
        .store
        .read(|tx| tx.get::<User>(&User::key_of(&"123456789012".parse().unwrap(), "alice")));
    let read: Result<Option<User>, StoreError> = read;
    let alice = read.unwrap().unwrap().id;
    for name in [alice.as_str(), "123456789012"] {
        for member in ["GranteePrincipal", "RetiringPrincipal"] {
            let mut input = json!({"KeyId": id, "GranteePrincipal": ROOT, "Operations": ["Decrypt"]});
            input[member] = name.into();
            assert_eq!(keys.code("CreateGrant", input).await, "InvalidArnException", "{member} {name}");
        }
    }
    keys.ok("CreateGrant", json!({"KeyId": id, "GranteePrincipal": ROOT, "Operations": ["Decrypt"]})).await;
}

#[tokio::test]
async fn a_context_that_is_too_long_is_refused_before_anything_is_asked() {
    let keys = keys().await;
    let id = keys.make(None).await;
    let stranger = keys.server.user("stranger", &[]).await;
    let context = |bytes: usize| json!({"a": "x".repeat(bytes - 1)});
    let sealed = keys.encrypt(&id, context(8192)).await;
    let mut requests = vec![];
    for (operation, members) in [
        ("Encrypt", &["EncryptionContext"][..]),
        ("Decrypt", &["EncryptionContext"]),
        ("GenerateDataKey", &["EncryptionContext"]),
        ("GenerateDataKeyWithoutPlaintext", &["EncryptionContext"]),
        ("ReEncrypt", &["SourceEncryptionContext", "DestinationEncryptionContext"]),
    ] {
        requests.extend(members.iter().map(|member| (operation, *member)));
    }
    for (operation, member) in requests {
        let mut input = match operation {
            "Encrypt" => json!({"KeyId": id, "Plaintext": "aGVsbG8="}),
            "Decrypt" => json!({"CiphertextBlob": sealed}),
            "ReEncrypt" => json!({"CiphertextBlob": sealed, "DestinationKeyId": id}),
            _ => json!({"KeyId": id, "KeySpec": "AES_256"}),
        };
        for (bytes, expected) in [(8192, "AccessDeniedException"), (8193, "ValidationException")] {
            input[member] = context(bytes);
            assert_eq!(
                code(&stranger, operation, input.clone()).await,
                expected,
                "{operation} {member} {bytes}"
            );
        }
    }
}

#[tokio::test]
async fn a_context_in_more_spellings_than_can_be_asked_about_is_denied() {
    let keys = keys().await;
    let id = keys.make(None).await;
    // `aaaaaaaa`, `Aaaaaaaa`, `aAaaaaaa`, …
    let spelled = |number: usize| -> String {
        (0..8).map(|at| if number >> at & 1 == 1 { 'A' } else { 'a' }).collect()
    };
    let context = |count: usize| -> Value { (0..count).map(|n| (spelled(n), json!("x"))).collect() };
    keys.encrypt(&id, context(50)).await;
    let input = json!({"KeyId": id, "Plaintext": "aGVsbG8=", "EncryptionContext": context(250)});
    assert_eq!(keys.administrator.json("kms", "Encrypt", &input).await.status, 403);
}

#[tokio::test]
async fn whether_it_is_the_same_key_is_known_however_it_is_named() {
    let keys = keys().await;
    let (id, other) = (keys.make(None).await, keys.make(None).await);
    for (name, key) in [("alias/same", &id), ("alias/other", &other)] {
        keys.ok("CreateAlias", json!({"AliasName": name, "TargetKeyId": key})).await;
    }
    let sealed = keys.encrypt(&id, json!({})).await;
    for (value, on_same) in [("true", true), ("false", false)] {
        let allowed = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "kms:*",
            "Resource": "*", "Condition": {"Bool": {"kms:ReEncryptOnSameKey": value}}}});
        let client = keys.server.user(value, &[("p", &allowed.to_string())]).await;
        let alias_arn = "arn:aws:kms:us-east-1:123456789012:alias/same".to_owned();
        let same = [id.clone(), arn(&id), "alias/same".to_owned(), alias_arn];
        let others = [other.clone(), arn(&other), "alias/other".to_owned()];
        for (to, is_same) in same.iter().map(|to| (to, true)).chain(others.iter().map(|to| (to, false))) {
            for from in [None, Some(id.as_str()), Some("alias/same")] {
                let mut input = json!({"CiphertextBlob": sealed, "DestinationKeyId": to});
                if let Some(from) = from {
                    input["SourceKeyId"] = from.into();
                }
                let is = client.json("kms", "ReEncrypt", &input).await.status == 200;
                assert_eq!(is, is_same == on_same, "{value} {input}");
            }
        }
    }
}

#[tokio::test]
async fn no_letter_of_a_context_shadows_another() {
    let keys = keys().await;
    // Of each pair one is the other in capitals; which of them comes first in the order of letters differs.
    for (small, capital) in [("ä", "Ä"), ("ÿ", "Ÿ"), ("a", "A"), ("k", "\u{212a}")] {
        let condition = format!("kms:EncryptionContext:{small}");
        let mut deny = allow("*", "kms:Encrypt");
        deny["Effect"] = "Deny".into();
        deny["Condition"] = json!({"StringEquals": {condition: "bad"}});
        let id = keys.make(policy(&[allow(ROOT, "kms:*"), deny])).await;
        for (context, allowed) in [
            (json!({small: "good"}), true),
            (json!({small: "bad"}), false),
            (json!({small: "bad", capital: "good"}), false),
            (json!({small: "good", capital: "good"}), true),
            (json!({capital: "bad"}), small != "a"),
        ] {
            let input = json!({"KeyId": id, "Plaintext": "aGVsbG8=", "EncryptionContext": context});
            let answer = keys.administrator.json("kms", "Encrypt", &input).await;
            assert_eq!(answer.status == 200, allowed, "{context}");
        }
    }
}

#[tokio::test]
async fn names_have_no_case_in_a_grants_constraint_and_values_have() {
    let keys = keys().await;
    let id = keys.make(None).await;
    let alice = keys.server.user("alice", &[]).await;
    for (constraint, more) in [("EncryptionContextEquals", false), ("EncryptionContextSubset", true)] {
        let input = json!({"KeyId": id, "GranteePrincipal": user("alice"), "Operations": ["Encrypt"],
                           "Constraints": {constraint: {"App": "x"}}});
        let made = keys.ok("CreateGrant", input).await;
        for (context, allowed) in [
            (json!({"App": "x"}), true),
            (json!({"aPP": "x"}), true),
            (json!({"App": "X"}), false),
            (json!({"App": "x", "app": "y"}), false),
            (json!({"App": "x", "b": "y"}), more),
            (json!({}), false),
        ] {
            let input = json!({"KeyId": id, "Plaintext": "aGVsbG8=", "EncryptionContext": context});
            let answer = alice.json("kms", "Encrypt", &input).await;
            assert_eq!(answer.status == 200, allowed, "{constraint} {context}: {}", answer.body);
        }
        keys.ok("RevokeGrant", json!({"KeyId": id, "GrantId": made["GrantId"]})).await;
    }
}

#[tokio::test]
async fn the_type_of_a_constraint_is_of_that_which_the_grant_has() {
    let keys = keys().await;
    let id = keys.make(None).await;
    let (equals, subset) = ("EncryptionContextEquals", "EncryptionContextSubset");
    for demanded in [equals, subset] {
        let allowed = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "kms:CreateGrant",
            "Resource": "*", "Condition": {"StringEquals": {"kms:GrantConstraintType": demanded}}}});
        let client = keys.server.user(demanded, &[("p", &allowed.to_string())]).await;
        for (constraints, is) in [
            (json!({equals: {"a": "b"}}), equals),
            (json!({subset: {"a": "b"}}), subset),
            (json!({equals: {}, subset: {"a": "b"}}), subset),
            (json!({equals: {"a": "b"}, subset: {}}), equals),
            (json!({equals: {}}), equals),
            (json!({subset: {}}), ""),
            (json!({}), ""),
        ] {
            let input = json!({"KeyId": id, "GranteePrincipal": ROOT, "Operations": ["Decrypt"],
                               "Constraints": constraints});
            let answer = client.json("kms", "CreateGrant", &input).await;
            assert_eq!(answer.status == 200, is == demanded, "{constraints} {}", answer.body);
        }
    }
}

#[tokio::test]
async fn grants_that_one_may_retire_come_in_pages_over_all_keys() {
    let keys = keys().await;
    keys.server.user("bob", &[]).await;
    let mut made = vec![];
    for _ in 0..3 {
        let id = keys.make(None).await;
        for retiring in [user("bob"), user("bob"), ROOT.to_owned()] {
            let input = json!({"KeyId": id, "GranteePrincipal": ROOT, "RetiringPrincipal": retiring,
                               "Operations": ["Decrypt"]});
            let grant = keys.ok("CreateGrant", input).await["GrantId"].clone();
            made.extend((retiring != ROOT).then_some(grant));
        }
    }
    for limit in [1, 4, 6, 100] {
        let (mut seen, mut input) = (vec![], json!({"RetiringPrincipal": user("bob"), "Limit": limit}));
        loop {
            let page = keys.ok("ListRetirableGrants", input.clone()).await;
            let grants = page["Grants"].as_array().unwrap();
            assert!(!grants.is_empty() && grants.len() <= limit);
            seen.extend(grants.iter().map(|grant| grant["GrantId"].clone()));
            if page["Truncated"] == false {
                break;
            }
            input["Marker"] = page["NextMarker"].clone();
        }
        assert!(seen.len() == made.len() && made.iter().all(|id| seen.contains(id)), "{limit}: {seen:?}");
    }
}
