//! Temporary delegation through the whole gate: IAM's requests, STS's sessions, and what S3 and IAM let them do.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may panic")]

use std::sync::atomic::{AtomicUsize, Ordering};

use daypass_core::delegation::partner::{self, NewBoundary, NewTemplate, PartnerError};
use daypass_core::delegation::{self, REQUESTS_PER_PARTNER};
use daypass_core::event_queue;
use daypass_core::model::AccountId;
use daypass_core::testing::{ACCOUNT, Client, DESTINATIONS, TestAnswer, TestServer, account};
use serde_json::Value;

const CUSTOMER: &str = "111122223333";
const STRANGER: &str = "777788889999";
const SETUP: &str = "arn:aws:iam::partner:delegation-template/example.com/setup";
const ROLES: &str = "arn:aws:iam::partner:delegation-template/example.com/roles";
const EVERYTHING: &str = "arn:aws:iam::partner:delegation-template/example.com/everything";
const BOUNDARY: &str = "arn:aws:iam::partner:policy/permissions-boundary/example.com/Reader_2026_11_22";
const ALL: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
const TRUST: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":["sts:AssumeRole","sts:TagSession"]}}"#;

/// A partner, a customer with an administrator, and somebody else who may everything in an account of its own.
struct World {
    server: TestServer,
    partner: Client,
    admin: Client,
    stranger: Client,
    /// How many requests there were.
    asked: AtomicUsize,
}

fn id(text: &str) -> AccountId {
    text.parse().unwrap()
}

fn topic() -> &'static str {
    DESTINATIONS[1]
}

impl World {
    async fn new() -> Self {
        let operations = [daypass_iam::OPERATIONS, daypass_sts::OPERATIONS, daypass_s3::OPERATIONS].concat();
        let server = TestServer::new(operations).await;
        let partner = server.user("partner", &[("all", ALL)]).await;
        let admin = server.user_of(&id(CUSTOMER), "admin", &[("all", ALL)]).await;
        let stranger = server.user_of(&id(STRANGER), "stranger", &[("all", ALL)]).await;
        let world = Self { server, partner, admin, stranger, asked: AtomicUsize::new(0) };
        world.take_on().await;
        world
    }

    /// The account becomes a partner, with its templates.
    async fn take_on(&self) {
        let state = self.server.gate.state();
        partner::add(state, "operator", &account(), "Example Corp", "example.com").await.unwrap();
        let boundary = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}"#;
        for (name, document, boundaries) in [
            (
                "setup",
                r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::@{bucketName}/*"}]}"#,
                vec![],
            ),
            (
                "roles",
                r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["iam:CreateRole","iam:GetRole","iam:PutRolePolicy","iam:*Boundary"],"Resource":"arn:aws:iam::@{AccountId}:role/*"}]}"#,
                vec![NewBoundary::New("Reader_2026_11_22".to_owned(), boundary.to_owned())],
            ),
            ("everything", ALL, vec![NewBoundary::Known(BOUNDARY.to_owned())]),
        ] {
            let (name, document) = (name.to_owned(), document.to_owned());
            let new = NewTemplate { account: account(), name, document, boundaries };
            partner::add_template(state, "operator", new).await.unwrap();
        }
    }

    /// A user of the customer's.
    async fn customer(&self, name: &str, policy: &str) -> Client {
        let policies: Vec<(&str, &str)> =
            [("may", policy)].into_iter().filter(|(_, p)| !p.is_empty()).collect();
        self.server.user_of(&id(CUSTOMER), name, &policies).await
    }

    async fn ask(&self, template: &str, more: &[(&str, &str)]) -> TestAnswer {
        let workflow = format!("workflow-{}", self.asked.fetch_add(1, Ordering::Relaxed));
        let mut form = vec![
            ("Description", "to set things up"),
            ("Permissions.PolicyTemplateArn", template),
            ("RequestorWorkflowId", &workflow),
            ("NotificationChannel", topic()),
            ("SessionDuration", "3600"),
        ];
        if template == SETUP {
            form.extend([
                ("Permissions.Parameters.member.1.Name", "bucketName"),
                ("Permissions.Parameters.member.1.Values.member.1", "bucket"),
                ("Permissions.Parameters.member.1.Type", "string"),
            ]);
        }
        form.retain(|(name, _)| !more.iter().any(|(other, _)| other == name));
        form.extend(more.iter().filter(|(_, value)| !value.is_empty()));
        self.partner.query("iam", "CreateDelegationRequest", &form).await
    }

    /// A request that is directed to the customer.
    async fn request(&self, template: &str) -> String {
        let answer = self.ask(template, &[("OwnerAccountId", CUSTOMER)]).await.ok();
        answer.xml("DelegationRequestId").unwrap().to_owned()
    }

    async fn request_of(&self, more: &[(&str, &str)]) -> String {
        self.ask(SETUP, more).await.ok().xml("DelegationRequestId").unwrap().to_owned()
    }

    /// What the partner was told since it was last asked.
    async fn told(&self) -> Vec<Value> {
        let state = self.server.gate.state();
        let events = event_queue::waiting_events(state, topic(), 1000).unwrap();
        event_queue::forget_events(state, &events, false).await.unwrap();
        let bodies = events.iter().map(|event| serde_json::from_str::<Value>(&event.body).unwrap());
        bodies
            .map(|body| {
                assert_eq!((&body["Type"], &body["TopicArn"]), (&"Notification".into(), &topic().into()));
                serde_json::from_str(body["Message"].as_str().unwrap()).unwrap()
            })
            .collect()
    }

    /// The token of a request that one accepts for the customer.
    async fn token(&self, approver: &Client, request: &str) -> String {
        for step in ["AssociateDelegationRequest", "AcceptDelegationRequest", "SendDelegationToken"] {
            go(approver, step, request).await.ok();
        }
        let told = self.told().await;
        told.last().unwrap()["ExchangeToken"].as_str().unwrap().to_owned()
    }

    /// The partner as one of the customer's.
    async fn delegated(&self, approver: &Client, template: &str) -> Client {
        let request = self.request(template).await;
        let token = self.token(approver, &request).await;
        self.session(&exchange(&self.partner, &token).await.ok())
    }

    fn session(&self, answer: &TestAnswer) -> Client {
        self.server.client(
            answer.xml("AccessKeyId").unwrap(),
            answer.xml("SecretAccessKey").unwrap(),
            answer.xml("SessionToken").map(str::to_owned),
        )
    }

    /// The customer's role `operator`, which may everything.
    async fn operator(&self) {
        let [name, trust] = [("RoleName", "operator"), ("AssumeRolePolicyDocument", TRUST)];
        self.admin.query("iam", "CreateRole", &[name, trust]).await.ok();
        let put = [name, ("PolicyName", "all"), ("PolicyDocument", ALL)];
        self.admin.query("iam", "PutRolePolicy", &put).await.ok();
    }

    /// A user of the customer's without policies, deleted and made again: somebody else of the same name.
    async fn made_again(&self, name: &str, key: &str) -> Client {
        let user = [("UserName", name)];
        self.admin.query("iam", "DeleteAccessKey", &[user[0], ("AccessKeyId", key)]).await.ok();
        self.admin.query("iam", "DeleteUser", &user).await.ok();
        self.admin.query("iam", "CreateUser", &user).await.ok();
        let key = self.admin.query("iam", "CreateAccessKey", &user).await.ok();
        self.server.client(key.xml("AccessKeyId").unwrap(), key.xml("SecretAccessKey").unwrap(), None)
    }

    async fn state_of(&self, request: &str) -> String {
        let answer = go(&self.admin, "GetDelegationRequest", request).await.ok();
        answer.xml("State").unwrap().to_owned()
    }
}

async fn go(client: &Client, operation: &str, request: &str) -> TestAnswer {
    client.query("iam", operation, &[("DelegationRequestId", request)]).await
}

async fn exchange(client: &Client, token: &str) -> TestAnswer {
    client.query("sts", "GetDelegatedAccessToken", &[("TradeInToken", token)]).await
}

fn code(answer: &TestAnswer) -> String {
    answer.refused().0
}

#[tokio::test]
async fn a_partner_asks_a_customer_forwards_an_administrator_accepts_and_the_partner_acts() {
    let world = World::new().await;
    let clerk = world.customer("clerk", "").await;
    world.admin.s3("PUT", "/bucket", "", &[], b"").await.ok();
    let request = world
        .request_of(&[("RequestMessage", "workspace 7"), ("RedirectUrl", "https://example.com/a")])
        .await;
    // Who was given the id looks, and takes it on.
    let seen = go(&clerk, "GetDelegationRequest", &request).await.ok();
    assert_eq!((seen.xml("State"), seen.xml("OwnerId")), (Some("UNASSIGNED"), None));
    assert_eq!(seen.xml("RequestorName"), Some("Example Corp"));
    assert!(seen.xml("PermissionPolicy").unwrap().contains("arn:aws:s3:::bucket/*"));
    assert_eq!(seen.xml("ExpirationTime"), Some("2026-11-23T02:14:00Z"));
    go(&clerk, "AssociateDelegationRequest", &request).await.ok();
    assert_eq!(code(&go(&clerk, "AcceptDelegationRequest", &request).await), "AccessDenied");
    let notes = [("DelegationRequestId", request.as_str()), ("Notes", "please")];
    clerk.query("iam", "UpdateDelegationRequest", &notes).await.ok();
    go(&world.admin, "AcceptDelegationRequest", &request).await.ok();
    let seen = go(&clerk, "GetDelegationRequest", &request).await.ok();
    assert_eq!(seen.xml("OwnerId"), Some("arn:aws:iam::111122223333:user/clerk"));
    assert_eq!(seen.xml("ApproverId"), Some("arn:aws:iam::111122223333:user/admin"));
    assert_eq!((seen.xml("State"), seen.xml("Notes")), (Some("ACCEPTED"), Some("please")));
    // Its owner sends the token, as it may by default.
    go(&clerk, "SendDelegationToken", &request).await.ok();

    let told = world.told().await;
    let states: Vec<_> =
        told.iter().map(|m| (m["Type"].as_str().unwrap(), m["State"].as_str().unwrap())).collect();
    let expected = [
        ("StateChange", "ASSIGNED"),
        ("StateChange", "PENDING_APPROVAL"),
        ("StateChange", "ACCEPTED"),
        ("StateChange", "FINALIZED"),
        ("ExchangeToken", "FINALIZED"),
    ];
    assert_eq!(states, expected);
    let last = told.last().unwrap();
    assert_eq!((&last["OwnerAccountId"], &last["RequestId"]), (&CUSTOMER.into(), &request.as_str().into()));
    assert_eq!(last["ExpiresAt"], "2026-11-22T03:14:00.000Z");

    let token = last["ExchangeToken"].as_str().unwrap();
    let answer = exchange(&world.partner, token).await.ok();
    assert_eq!(answer.xml("AssumedPrincipal"), Some("arn:aws:iam::111122223333:user/admin"));
    assert_eq!(answer.xml("Expiration"), Some("2026-11-22T03:14:00Z"));
    let session = world.session(&answer);
    session.s3("PUT", "/bucket/a", "", &[], b"x").await.ok();
    session.s3("GET", "/bucket/a", "", &[], b"").await.ok();
    let who = session.query("sts", "GetCallerIdentity", &[]).await.ok();
    assert_eq!(who.xml("Arn"), Some("arn:aws:iam::111122223333:user/admin"));
    let record = world.server.audit().into_iter().find(|r| r.event_name == "GetCallerIdentity").unwrap();
    let event: Value = serde_json::from_str(&record.event).unwrap();
    assert_eq!(event["userIdentity"]["invokedByDelegate"]["accountId"], ACCOUNT);
    assert_eq!(event["recipientAccountId"], CUSTOMER);

    // Later it is a shorter session; when the time is over, none, and the first is over as well.
    world.server.clock.advance(1800);
    assert_eq!(exchange(&world.partner, token).await.ok().xml("Expiration"), Some("2026-11-22T03:14:00Z"));
    world.server.clock.advance(1800);
    assert_eq!(code(&exchange(&world.partner, token).await), "ExpiredTradeInTokenException");
    assert_eq!(code(&session.query("sts", "GetCallerIdentity", &[]).await), "ExpiredToken");
}

#[tokio::test]
async fn no_token_stands_in_the_audit_log() {
    let world = World::new().await;
    let request = world.request(SETUP).await;
    let token = world.token(&world.admin, &request).await;
    exchange(&world.partner, &token).await.ok();
    exchange(&world.stranger, &token).await;
    let secret = token.split_once('.').unwrap().1;
    assert!(secret.len() >= 43);
    for record in world.server.audit() {
        assert!(!record.event.contains(secret), "{}", record.event);
    }
}

#[tokio::test]
async fn a_request_that_is_directed_to_an_account_is_nothing_to_any_other() {
    let world = World::new().await;
    let request = world.request(SETUP).await;
    let nobody = world.server.user_of(&id(STRANGER), "nobody", &[]).await;
    let missing = "dr-00000000000000000000000000000000";
    for operation in [
        "GetDelegationRequest",
        "AssociateDelegationRequest",
        "UpdateDelegationRequest",
        "AcceptDelegationRequest",
        "RejectDelegationRequest",
        "SendDelegationToken",
    ] {
        // The partner is as much a stranger to it as anybody else.
        for client in [&world.stranger, &world.partner] {
            let (there, none) = (go(client, operation, &request).await, go(client, operation, missing).await);
            assert_eq!(
                (code(&there), code(&none)),
                ("NoSuchEntity".into(), "NoSuchEntity".into()),
                "{operation}"
            );
            assert_eq!(there.refused().1.replace(&request, missing), none.refused().1);
        }
        assert_eq!(code(&go(&nobody, operation, &request).await), "AccessDenied", "{operation}");
        assert_eq!(code(&go(&nobody, operation, missing).await), "AccessDenied", "{operation}");
    }
    for account in [CUSTOMER, STRANGER] {
        let arn = format!("arn:aws:iam::{account}:delegation-request/{request}");
        let answer = world.stranger.query("iam", "GetHumanReadableSummary", &[("EntityArn", &arn)]).await;
        assert_eq!(code(&answer), "NoSuchEntity");
    }
    assert_eq!(world.state_of(&request).await, "UNASSIGNED");
}

#[tokio::test]
async fn a_request_that_is_directed_to_nobody_is_whose_account_takes_it_on() {
    let world = World::new().await;
    let request = world.request_of(&[]).await;
    go(&world.stranger, "GetDelegationRequest", &request).await.ok();
    go(&world.admin, "AssociateDelegationRequest", &request).await.ok();
    assert_eq!(code(&go(&world.stranger, "AssociateDelegationRequest", &request).await), "NoSuchEntity");
    assert_eq!(code(&go(&world.stranger, "GetDelegationRequest", &request).await), "NoSuchEntity");
    assert_eq!(code(&go(&world.stranger, "AcceptDelegationRequest", &request).await), "NoSuchEntity");
    // Nobody takes it from who has it.
    let other = world.customer("other", ALL).await;
    let again = go(&other, "AssociateDelegationRequest", &request).await.refused();
    assert_eq!(again.0, "InvalidInput");
    assert!(again.1.contains("in state ASSIGNED"), "{}", again.1);
}

#[tokio::test]
async fn what_is_given_by_default_is_the_owners_alone_and_can_be_denied() {
    let world = World::new().await;
    let clerk = world.customer("clerk", "").await;
    let other = world.customer("other", "").await;
    let deny = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"iam:*DelegationRequest","Resource":"*"}}"#;
    let denied = world.customer("denied", deny).await;
    let request = world.request(SETUP).await;
    assert_eq!(code(&go(&denied, "AssociateDelegationRequest", &request).await), "AccessDenied");
    assert_eq!(code(&go(&denied, "GetDelegationRequest", &request).await), "AccessDenied");
    go(&clerk, "AssociateDelegationRequest", &request).await.ok();
    for operation in
        ["GetDelegationRequest", "UpdateDelegationRequest", "RejectDelegationRequest", "SendDelegationToken"]
    {
        assert_eq!(code(&go(&other, operation, &request).await), "AccessDenied", "{operation}");
    }
    // The condition key names the owner.
    let own = |name: &str| {
        format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"iam:AcceptDelegationRequest","Resource":"*","Condition":{{"ArnEquals":{{"iam:DelegationRequestOwner":"arn:aws:iam::111122223333:user/{name}"}}}}}}}}"#
        )
    };
    let wrong = world.customer("wrong", &own("other")).await;
    let right = world.customer("right", &own("clerk")).await;
    assert_eq!(code(&go(&wrong, "AcceptDelegationRequest", &request).await), "AccessDenied");
    go(&right, "AcceptDelegationRequest", &request).await.ok();
    // Who comes later under the owner's name is somebody else.
    let later = world.made_again("clerk", "AKIACLERKQQQQQQQQQQQ").await;
    assert_eq!(code(&go(&later, "SendDelegationToken", &request).await), "AccessDenied");
}

#[tokio::test]
async fn who_may_only_send_by_owner_is_the_owner() {
    let world = World::new().await;
    let clerk = world.customer("clerk", "").await;
    let request = world.request_of(&[("OnlySendByOwner", "true"), ("OwnerAccountId", CUSTOMER)]).await;
    go(&clerk, "AssociateDelegationRequest", &request).await.ok();
    go(&world.admin, "AcceptDelegationRequest", &request).await.ok();
    assert_eq!(code(&go(&world.admin, "SendDelegationToken", &request).await), "AccessDenied");
    assert_eq!(world.state_of(&request).await, "ACCEPTED");
    go(&clerk, "SendDelegationToken", &request).await.ok();
}

#[tokio::test]
async fn a_token_is_good_to_the_partner_alone_and_only_as_it_is() {
    let world = World::new().await;
    let request = world.request(SETUP).await;
    let token = world.token(&world.admin, &request).await;
    let state = world.server.gate.state();
    world.server.user_of(&id(STRANGER), "x", &[]).await;
    partner::add(state, "operator", &id(STRANGER), "Other Corp", "example.org").await.unwrap();
    // Another partner, the customer itself, and who may nothing.
    for client in
        [&world.stranger, &world.admin, &world.server.user("nobody", &[]).await, &world.server.anonymous()]
    {
        assert!(exchange(client, &token).await.status >= 400);
    }
    let (head, secret) = token.split_once('.').unwrap();
    let last = if secret.ends_with('A') { 'B' } else { 'A' };
    let flipped: String = token.chars().take(token.len() - 1).chain([last]).collect();
    for wrong in [flipped.as_str(), head, secret, ".", "dr-x.y", &format!("{token} "), &"x".repeat(5000)] {
        let refused = exchange(&world.partner, wrong).await.refused();
        assert_eq!(refused.0, "AccessDenied", "{wrong}");
    }
    exchange(&world.partner, &token).await.ok();
    // The token lets nobody in by itself.
    let plain = world.server.client("ASIAAAAAAAAAAAAAAAAA", secret, Some(token.clone()));
    assert!(plain.query("sts", "GetCallerIdentity", &[]).await.status >= 400);
}

#[tokio::test]
async fn there_is_no_token_before_it_is_accepted_and_none_after_it_is_rejected() {
    let world = World::new().await;
    let request = world.request(SETUP).await;
    assert_eq!(code(&go(&world.admin, "AcceptDelegationRequest", &request).await), "InvalidInput");
    assert_eq!(code(&go(&world.admin, "SendDelegationToken", &request).await), "InvalidInput");
    go(&world.admin, "AssociateDelegationRequest", &request).await.ok();
    assert_eq!(code(&go(&world.admin, "SendDelegationToken", &request).await), "InvalidInput");
    go(&world.admin, "AcceptDelegationRequest", &request).await.ok();
    let why = [("DelegationRequestId", request.as_str()), ("Notes", "not today")];
    world.admin.query("iam", "RejectDelegationRequest", &why).await.ok();
    let seen = go(&world.admin, "GetDelegationRequest", &request).await.ok();
    assert_eq!((seen.xml("State"), seen.xml("RejectionReason")), (Some("REJECTED"), Some("not today")));
    for operation in [
        "SendDelegationToken",
        "AcceptDelegationRequest",
        "UpdateDelegationRequest",
        "RejectDelegationRequest",
    ] {
        assert_eq!(code(&go(&world.admin, operation, &request).await), "InvalidInput", "{operation}");
    }
    let told = world.told().await;
    assert!(told.iter().all(|message| message.get("ExchangeToken").is_none()));
    assert_eq!(told.last().unwrap()["State"], "REJECTED");
    // What was sent is sent.
    let request = world.request(SETUP).await;
    world.token(&world.admin, &request).await;
    for operation in ["RejectDelegationRequest", "SendDelegationToken", "AcceptDelegationRequest"] {
        assert_eq!(code(&go(&world.admin, operation, &request).await), "InvalidInput", "{operation}");
    }
}

#[tokio::test]
async fn a_partner_may_what_both_the_request_and_whoever_accepted_may() {
    let world = World::new().await;
    for bucket in ["/bucket", "/other"] {
        world.admin.s3("PUT", bucket, "", &[], b"").await.ok();
        world.admin.s3("PUT", &format!("{bucket}/a"), "", &[], b"x").await.ok();
    }
    let session = world.delegated(&world.admin, SETUP).await;
    session.s3("GET", "/bucket/a", "", &[], b"").await.ok();
    for (method, path) in [("GET", "/other/a"), ("DELETE", "/bucket/a"), ("GET", "/bucket"), ("PUT", "/new")]
    {
        assert_eq!(code(&session.s3(method, path, "", &[], b"").await), "AccessDenied", "{method} {path}");
    }
    assert_eq!(code(&session.query("iam", "ListUsers", &[]).await), "AccessDenied");
    // Who accepts gives no more than it has.
    let reader = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject","iam:*Delegation*"],"Resource":"*"}]}"#;
    let reader = world.customer("reader", reader).await;
    let session = world.delegated(&reader, SETUP).await;
    session.s3("GET", "/bucket/a", "", &[], b"").await.ok();
    assert_eq!(code(&session.s3("PUT", "/bucket/b", "", &[], b"x").await), "AccessDenied");
    // And what it loses, the partner loses with it.
    let deny = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"s3:*","Resource":"*"}}"#;
    let put = [("UserName", "reader"), ("PolicyName", "no"), ("PolicyDocument", deny)];
    world.admin.query("iam", "PutUserPolicy", &put).await.ok();
    assert_eq!(code(&session.s3("GET", "/bucket/a", "", &[], b"").await), "AccessDenied");
    for name in ["no", "may"] {
        let gone = [("UserName", "reader"), ("PolicyName", name)];
        world.admin.query("iam", "DeleteUserPolicy", &gone).await.ok();
    }
    let key = [("UserName", "reader"), ("AccessKeyId", "AKIAREADERQQQQQQQQQQ")];
    world.admin.query("iam", "DeleteAccessKey", &key).await.ok();
    world.admin.query("iam", "DeleteUser", &[("UserName", "reader")]).await.ok();
    assert_eq!(code(&session.query("sts", "GetCallerIdentity", &[]).await), "InvalidClientTokenId");
}

#[tokio::test]
async fn policies_of_resources_that_name_who_accepted_do_not_let_the_partner_in() {
    let world = World::new().await;
    world.admin.s3("PUT", "/bucket", "", &[], b"").await.ok();
    world.admin.s3("PUT", "/bucket/a", "", &[], b"x").await.ok();
    world.stranger.s3("PUT", "/abroad", "", &[], b"").await.ok();
    world.stranger.s3("PUT", "/abroad/a", "", &[], b"x").await.ok();
    for (owner, bucket) in [(&world.admin, "bucket"), (&world.stranger, "abroad")] {
        let policy = format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::111122223333:user/admin"}},"Action":"s3:*","Resource":["arn:aws:s3:::{bucket}","arn:aws:s3:::{bucket}/*"]}}}}"#
        );
        owner.s3_document("PUT", &format!("/{bucket}"), "policy", &[], &policy).await.ok();
    }
    let session = world.delegated(&world.admin, SETUP).await;
    for path in ["/abroad/a", "/bucket?versioning", "/abroad"] {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        world.admin.s3("GET", path, query, &[], b"").await.ok();
        assert_eq!(code(&session.s3("GET", path, query, &[], b"").await), "AccessDenied", "{path}");
    }
    assert_eq!(code(&session.s3("DELETE", "/bucket/a", "", &[], b"").await), "AccessDenied");
}

#[tokio::test]
async fn a_session_that_was_narrowed_gives_no_more_than_itself() {
    let world = World::new().await;
    world.admin.s3("PUT", "/bucket", "", &[], b"").await.ok();
    world.admin.s3("PUT", "/bucket/a", "", &[], b"x").await.ok();
    world.operator().await;
    let narrow = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["s3:GetObject","iam:*Delegation*"],"Resource":"*"}}"#;
    let arn = "arn:aws:iam::111122223333:role/operator";
    let form = [
        ("RoleArn", arn),
        ("RoleSessionName", "shift"),
        ("Policy", narrow),
        ("Tags.member.1.Key", "team"),
        ("Tags.member.1.Value", "a"),
    ];
    let approver = world.session(&world.admin.query("sts", "AssumeRole", &form).await.ok());
    let session = world.delegated(&approver, SETUP).await;
    let who = session.query("sts", "GetCallerIdentity", &[]).await.ok();
    assert_eq!(who.xml("Arn"), Some("arn:aws:sts::111122223333:assumed-role/operator/shift"));
    session.s3("GET", "/bucket/a", "", &[], b"").await.ok();
    assert_eq!(code(&session.s3("PUT", "/bucket/b", "", &[], b"x").await), "AccessDenied");
    let record = world.server.audit().into_iter().find(|r| r.event_name == "GetCallerIdentity").unwrap();
    let event: Value = serde_json::from_str(&record.event).unwrap();
    assert_eq!(event["userIdentity"]["type"], "AssumedRole");
    assert_eq!(event["userIdentity"]["sessionContext"]["sessionIssuer"]["userName"], "operator");
    assert_eq!(event["userIdentity"]["invokedByDelegate"]["accountId"], ACCOUNT);
    // A revocation of the role's sessions is one of the partner's, those that it takes afterwards too.
    let request = world.request(SETUP).await;
    let token = world.token(&approver, &request).await;
    world.server.clock.advance(60);
    let revoke = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"DateLessThan":{"aws:TokenIssueTime":"2026-11-22T02:14:30Z"}}}}"#;
    let put =
        [("RoleName", "operator"), ("PolicyName", "AWSRevokeOlderSessions"), ("PolicyDocument", revoke)];
    world.admin.query("iam", "PutRolePolicy", &put).await.ok();
    let later = world.session(&exchange(&world.partner, &token).await.ok());
    assert_eq!(code(&later.s3("GET", "/bucket/a", "", &[], b"").await), "AccessDenied");
    // A role of the same name that came later is another.
    for name in ["all", "AWSRevokeOlderSessions"] {
        world
            .admin
            .query("iam", "DeleteRolePolicy", &[("RoleName", "operator"), ("PolicyName", name)])
            .await
            .ok();
    }
    world.admin.query("iam", "DeleteRole", &[("RoleName", "operator")]).await.ok();
    world.operator().await;
    assert_eq!(code(&exchange(&world.partner, &token).await), "AccessDenied");
    assert_eq!(code(&later.query("sts", "GetCallerIdentity", &[]).await), "InvalidClientTokenId");
}

#[tokio::test]
async fn who_is_revoked_before_the_token_is_sent_has_accepted_nothing() {
    let world = World::new().await;
    world.admin.s3("PUT", "/bucket", "", &[], b"").await.ok();
    world.admin.s3("PUT", "/bucket/a", "", &[], b"x").await.ok();
    world.operator().await;
    let form = [("RoleArn", "arn:aws:iam::111122223333:role/operator"), ("RoleSessionName", "stolen")];
    let stolen = world.session(&world.admin.query("sts", "AssumeRole", &form).await.ok());
    let request = world.request(SETUP).await;
    world.server.clock.advance(10);
    go(&world.admin, "AssociateDelegationRequest", &request).await.ok();
    go(&stolen, "AcceptDelegationRequest", &request).await.ok();
    world.server.clock.advance(20);
    // What was issued before 02:14:05 is revoked: the session, though not what it did later.
    let revoke = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"DateLessThan":{"aws:TokenIssueTime":"2026-11-22T02:14:05Z"}}}}"#;
    let put =
        [("RoleName", "operator"), ("PolicyName", "AWSRevokeOlderSessions"), ("PolicyDocument", revoke)];
    world.admin.query("iam", "PutRolePolicy", &put).await.ok();
    assert_eq!(code(&stolen.s3("GET", "/bucket/a", "", &[], b"").await), "AccessDenied");
    world.server.clock.advance(20);
    go(&world.admin, "SendDelegationToken", &request).await.ok();
    let told = world.told().await;
    let token = told.last().unwrap()["ExchangeToken"].as_str().unwrap();
    let session = world.session(&exchange(&world.partner, token).await.ok());
    assert_eq!(code(&session.s3("GET", "/bucket/a", "", &[], b"").await), "AccessDenied");
}

#[tokio::test]
async fn no_role_is_made_without_a_boundary_that_was_shown() {
    let world = World::new().await;
    let request = world.request(ROLES).await;
    let seen = go(&world.admin, "GetDelegationRequest", &request).await.ok();
    assert!(seen.body.contains(&format!("<member>{BOUNDARY}</member>")), "{}", seen.body);
    // The customer reads what the boundary lets.
    let policy = world.admin.query("iam", "GetPolicy", &[("PolicyArn", BOUNDARY)]).await.ok();
    assert_eq!((policy.xml("DefaultVersionId"), policy.xml("IsAttachable")), (Some("v1"), Some("false")));
    let version = [("PolicyArn", BOUNDARY), ("VersionId", "v1")];
    let version = world.admin.query("iam", "GetPolicyVersion", &version).await.ok();
    assert!(version.xml("Document").unwrap().contains("s3%3AGetObject"));
    let token = world.token(&world.admin, &request).await;
    let session = world.session(&exchange(&world.partner, &token).await.ok());
    let other = "arn:aws:iam::aws:policy/AdministratorAccess";
    let role = [("RoleName", "lasting"), ("AssumeRolePolicyDocument", TRUST)];
    let with = |boundary| [role[0], role[1], ("PermissionsBoundary", boundary)];
    assert_eq!(code(&session.query("iam", "CreateRole", &role).await), "AccessDenied");
    assert_eq!(code(&session.query("iam", "CreateRole", &with(other)).await), "AccessDenied");
    session.query("iam", "CreateRole", &with(BOUNDARY)).await.ok();
    let seen = session.query("iam", "GetRole", &[("RoleName", "lasting")]).await.ok();
    assert_eq!(seen.xml("PermissionsBoundaryArn"), Some(BOUNDARY));
    let name = ("RoleName", "lasting");
    let put = [name, ("PermissionsBoundary", other)];
    assert_eq!(code(&session.query("iam", "PutRolePermissionsBoundary", &put).await), "AccessDenied");
    assert_eq!(code(&session.query("iam", "DeleteRolePermissionsBoundary", &[name]).await), "AccessDenied");
    session.query("iam", "PutRolePermissionsBoundary", &[name, ("PermissionsBoundary", BOUNDARY)]).await.ok();
    // Whatever it is given, the role is bounded.
    session.query("iam", "PutRolePolicy", &[name, ("PolicyName", "all"), ("PolicyDocument", ALL)]).await.ok();
    world.admin.s3("PUT", "/bucket", "", &[], b"").await.ok();
    world.admin.s3("PUT", "/bucket/a", "", &[], b"x").await.ok();
    let form = [("RoleArn", "arn:aws:iam::111122223333:role/lasting"), ("RoleSessionName", "later")];
    let lasting = world.session(&world.admin.query("sts", "AssumeRole", &form).await.ok());
    lasting.s3("GET", "/bucket/a", "", &[], b"").await.ok();
    assert_eq!(code(&lasting.s3("PUT", "/bucket/b", "", &[], b"x").await), "AccessDenied");
    // The boundary is no policy to attach, and stays when its partner goes.
    let attach = [name, ("PolicyArn", BOUNDARY)];
    assert!(world.admin.query("iam", "AttachRolePolicy", &attach).await.status >= 400);
    let unknown = BOUNDARY.replace("Reader", "Other");
    let put = [name, ("PermissionsBoundary", unknown.as_str())];
    assert_eq!(code(&world.admin.query("iam", "PutRolePermissionsBoundary", &put).await), "NoSuchEntity");
    for operation in ["DeletePolicy", "TagPolicy", "CreatePolicyVersion"] {
        let form = [
            ("PolicyArn", BOUNDARY),
            ("PolicyDocument", ALL),
            ("Tags.member.1.Key", "a"),
            ("Tags.member.1.Value", "b"),
        ];
        assert!(world.admin.query("iam", operation, &form).await.status >= 400, "{operation}");
    }
    partner::remove(world.server.gate.state(), "operator", &account()).await.unwrap();
    lasting.s3("GET", "/bucket/a", "", &[], b"").await.ok();
}

#[tokio::test]
async fn nothing_that_outlasts_a_partners_session_goes_beyond_what_was_shown() {
    let world = World::new().await;
    world.operator().await;
    let [trust, other] = [("AssumeRolePolicyDocument", TRUST), ("RoleName", "operator")];
    let all = [("PolicyName", "all"), ("PolicyDocument", ALL)];
    let arn = ("PolicyArn", "arn:aws:iam::111122223333:policy/all");
    world.admin.query("iam", "CreatePolicy", &all).await.ok();
    world.admin.query("iam", "AttachRolePolicy", &[other, arn]).await.ok();
    let session = world.delegated(&world.admin, EVERYTHING).await;
    // What roles have is the partner's to say where one of its boundaries is on them, and nowhere else.
    let own = ("RoleName", "own");
    session.query("iam", "CreateRole", &[own, trust, ("PermissionsBoundary", BOUNDARY)]).await.ok();
    let policies = async |role| {
        let mut answers = vec![];
        for (operation, more) in [
            ("PutRolePolicy", &all[..]),
            ("AttachRolePolicy", &[arn]),
            ("DetachRolePolicy", &[arn]),
            ("DeleteRolePolicy", &all[..1]),
        ] {
            answers.push((operation, session.query("iam", operation, &[&[role], more].concat()).await));
        }
        answers
    };
    for (operation, answer) in policies(own).await {
        assert_eq!(answer.status, 200, "{operation}: {}", answer.body);
    }
    for (operation, answer) in policies(other).await {
        assert_eq!(code(&answer), "AccessDenied", "{operation}");
    }
    let [user, admin] = [("UserName", "lasting"), ("UserName", "admin")];
    let password = ("Password", "correct-Horse7");
    for (operation, form) in [
        ("CreateAccessKey", vec![]),
        ("CreateAccessKey", vec![admin]),
        ("CreateUser", vec![user]),
        ("CreateLoginProfile", vec![admin, password]),
        ("UpdateLoginProfile", vec![admin, password]),
        ("ChangePassword", vec![("OldPassword", "a"), ("NewPassword", "correct-Horse7")]),
        ("CreateServiceSpecificCredential", vec![admin, ("ServiceName", "codecommit.amazonaws.com")]),
        ("UploadSSHPublicKey", vec![admin, ("SSHPublicKeyBody", "ssh-rsa AAAA")]),
        ("UploadSigningCertificate", vec![admin, ("CertificateBody", "x")]),
        ("CreateVirtualMFADevice", vec![("VirtualMFADeviceName", "x")]),
        ("DeactivateMFADevice", vec![admin, ("SerialNumber", "arn:aws:iam::111122223333:mfa/x")]),
        ("PutUserPolicy", [&[admin], &all[..]].concat()),
        ("AttachUserPolicy", vec![admin, arn]),
        ("DeleteUserPermissionsBoundary", vec![admin]),
        ("CreateGroup", vec![("GroupName", "g")]),
        ("AddUserToGroup", vec![admin, ("GroupName", "g")]),
        ("CreateSAMLProvider", vec![("Name", "x"), ("SAMLMetadataDocument", &"x".repeat(1000))]),
        ("CreateOpenIDConnectProvider", vec![("Url", "https://example.com")]),
        ("UpdateAccountPasswordPolicy", vec![("MinimumPasswordLength", "6")]),
        ("CreateAccountAlias", vec![("AccountAlias", "partners")]),
        // Who may take a role, and what a policy says that others have.
        ("UpdateAssumeRolePolicy", vec![other, ("PolicyDocument", TRUST)]),
        ("CreatePolicyVersion", vec![arn, all[1], ("SetAsDefault", "true")]),
        ("SetDefaultPolicyVersion", vec![arn, ("VersionId", "v1")]),
    ] {
        assert_eq!(code(&session.query("iam", operation, &form).await), "AccessDenied", "{operation}");
    }
    session.query("iam", "CreatePolicy", &[("PolicyName", "own"), all[1]]).await.ok();
    let service = [("AWSServiceName", "autoscaling.amazonaws.com")];
    session.query("iam", "CreateServiceLinkedRole", &service).await.ok();
    session.query("iam", "CreateInstanceProfile", &[("InstanceProfileName", "own")]).await.ok();
}

#[tokio::test]
async fn a_partners_session_takes_no_other_and_decides_nothing_for_the_customer() {
    let world = World::new().await;
    let role = [("RoleName", "operator"), ("AssumeRolePolicyDocument", TRUST)];
    world.admin.query("iam", "CreateRole", &role).await.ok();
    let session = world.delegated(&world.admin, EVERYTHING).await;
    session.query("iam", "ListUsers", &[]).await.ok();
    let form = [("RoleArn", "arn:aws:iam::111122223333:role/operator"), ("RoleSessionName", "xx")];
    assert_eq!(code(&session.query("sts", "AssumeRole", &form).await), "AccessDenied");
    for (operation, form) in [
        ("GetFederationToken", vec![("Name", "someone")]),
        ("GetSessionToken", vec![]),
        ("GetWebIdentityToken", vec![("Audience.member.1", "x"), ("SigningAlgorithm", "RS256")]),
        ("GetDelegatedAccessToken", vec![("TradeInToken", "dr-x.y")]),
    ] {
        assert_eq!(code(&session.query("sts", operation, &form).await), "AccessDenied", "{operation}");
    }
    let request = world.request(EVERYTHING).await;
    for operation in ["GetDelegationRequest", "AssociateDelegationRequest", "AcceptDelegationRequest"] {
        assert_eq!(code(&go(&session, operation, &request).await), "AccessDenied", "{operation}");
    }
    go(&world.admin, "AssociateDelegationRequest", &request).await.ok();
    for operation in [
        "AcceptDelegationRequest",
        "UpdateDelegationRequest",
        "RejectDelegationRequest",
        "SendDelegationToken",
    ] {
        assert_eq!(code(&go(&session, operation, &request).await), "AccessDenied", "{operation}");
    }
    let own = [("OwnerId", "arn:aws:iam::111122223333:user/admin")];
    assert_eq!(code(&session.query("iam", "ListDelegationRequests", &own).await), "AccessDenied");
}

#[tokio::test]
async fn what_a_partner_was_granted_ends_when_it_is_one_no_more() {
    let world = World::new().await;
    let request = world.request(SETUP).await;
    let token = world.token(&world.admin, &request).await;
    let session = world.session(&exchange(&world.partner, &token).await.ok());
    session.query("sts", "GetCallerIdentity", &[]).await.ok();
    let (left, assigned, accepted) =
        (world.request(SETUP).await, world.request(SETUP).await, world.request(SETUP).await);
    for request in [&assigned, &accepted] {
        go(&world.admin, "AssociateDelegationRequest", request).await.ok();
    }
    go(&world.admin, "AcceptDelegationRequest", &accepted).await.ok();
    partner::remove(world.server.gate.state(), "operator", &account()).await.unwrap();
    let gone = async || {
        assert_eq!(code(&session.query("sts", "GetCallerIdentity", &[]).await), "InvalidClientTokenId");
        assert_eq!(code(&exchange(&world.partner, &token).await), "AccessDenied");
        for (step, request) in [
            ("AssociateDelegationRequest", &left),
            ("UpdateDelegationRequest", &assigned),
            ("AcceptDelegationRequest", &assigned),
            ("SendDelegationToken", &accepted),
        ] {
            assert_eq!(code(&go(&world.admin, step, request).await), "InvalidInput", "{step}");
        }
    };
    gone().await;
    let refused = world.ask(SETUP, &[]).await.refused();
    assert_eq!(refused.0, "AccessDenied");
    assert!(refused.1.contains("daypass partner add"), "{}", refused.1);
    // Taken on again, within the same second, it starts with nothing.
    world.take_on().await;
    gone().await;
    world.delegated(&world.admin, SETUP).await.query("sts", "GetCallerIdentity", &[]).await.ok();
    // What is left can still be looked at and rejected.
    assert_eq!(world.state_of(&request).await, "FINALIZED");
    go(&world.admin, "RejectDelegationRequest", &accepted).await.ok();
}

#[tokio::test]
async fn a_request_is_asked_for_by_partners_with_their_own_templates_and_topics() {
    let world = World::new().await;
    let state = world.server.gate.state();
    partner::add(state, "operator", &id(STRANGER), "Other Corp", "example.org").await.unwrap();
    let form = [
        ("Description", "d"),
        ("Permissions.PolicyTemplateArn", EVERYTHING),
        ("RequestorWorkflowId", "workflow"),
        ("NotificationChannel", topic()),
        ("SessionDuration", "3600"),
    ];
    let create = "CreateDelegationRequest";
    let refused = world.stranger.query("iam", create, &form).await.refused();
    assert!(refused.0 == "InvalidInput" && refused.1.contains("does not exist"), "{refused:?}");
    assert_eq!(code(&world.admin.query("iam", create, &form).await), "AccessDenied");
    let first = [("RequestorWorkflowId", "one-and-only")];
    world.ask(SETUP, &first).await.ok();
    let names = ("Permissions.Parameters.member.1.Name", "otherName");
    let kind = ("Permissions.Parameters.member.1.Type", "");
    let value = |value| ("Permissions.Parameters.member.1.Values.member.1", value);
    for (more, code, words) in [
        (vec![first[0]], "EntityAlreadyExists", "one-and-only"),
        (
            vec![("NotificationChannel", "arn:aws:sns:us-east-1:111122223333:topic")],
            "InvalidInput",
            "account of the requestor",
        ),
        (vec![("NotificationChannel", DESTINATIONS[0])], "InvalidInput", "SNS topic"),
        (
            vec![("NotificationChannel", "arn:aws:sns:us-east-1:123456789012:unknown")],
            "InvalidInput",
            "--event-destination",
        ),
        (
            vec![("Permissions.PolicyTemplateArn", "arn:aws:iam::aws:policy/AdministratorAccess")],
            "InvalidInput",
            "does not exist",
        ),
        (vec![names], "InvalidInput", "Missing policy parameters: bucketName."),
        (vec![kind], "InvalidInput", "`bucketName` has no type"),
        (vec![value("*")], "InvalidInput", "`bucketName` has a value with `*`"),
        (vec![value("${aws:username}")], "InvalidInput", "`bucketName` has a value with `${`"),
        (vec![("SessionDuration", "43201")], "ValidationError", "43200"),
        (vec![("SessionDuration", "299")], "ValidationError", "300"),
        (vec![("OwnerAccountId", "12")], "ValidationError", "wnerAccountId"),
    ] {
        let refused = world.ask(SETUP, &more).await.refused();
        assert!(refused.0 == code && refused.1.contains(words), "{more:?}: {refused:?}");
    }
    // The account of an owner who is not known has no value.
    let refused = world.ask(ROLES, &[]).await.refused();
    assert_eq!(refused.1, "Missing policy parameters: AccountId.");
    // A policy can hold partners to templates, topics and durations.
    let within = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:CreateDelegationRequest","Resource":"*","Condition":{"ArnEquals":{"iam:TemplateArn":"arn:aws:iam::partner:delegation-template/example.com/setup"},"NumericLessThanEquals":{"iam:DelegationDuration":"3600"},"StringEquals":{"iam:NotificationChannel":"arn:aws:sns:us-east-1:123456789012:topic"}}}}"#;
    let narrow = world.server.user("narrow", &[("within", within)]).await;
    let mut form = form.to_vec();
    assert_eq!(code(&narrow.query("iam", create, &form).await), "AccessDenied");
    form[1].1 = SETUP;
    form[4].1 = "3601";
    assert_eq!(code(&narrow.query("iam", create, &form).await), "AccessDenied");
    form[4].1 = "3600";
    assert_eq!(code(&narrow.query("iam", create, &form).await), "InvalidInput");
}

#[tokio::test]
async fn a_request_has_its_time_and_is_forgotten_after_it() {
    let world = World::new().await;
    let state = world.server.gate.state();
    let (left, taken) = (world.request(SETUP).await, world.request(SETUP).await);
    go(&world.admin, "AssociateDelegationRequest", &taken).await.ok();
    world.told().await;
    world.server.clock.advance(24 * 3600);
    // It is over before anybody has looked after it.
    assert_eq!(world.state_of(&left).await, "EXPIRED");
    assert_eq!(code(&go(&world.admin, "AssociateDelegationRequest", &left).await), "InvalidInput");
    assert_eq!(delegation::end_overdue(state).await.unwrap(), 1);
    let told = world.told().await;
    assert_eq!(
        (told.len(), &told[0]["State"], &told[0]["RequestId"]),
        (1, &"EXPIRED".into(), &left.as_str().into())
    );
    assert_eq!(world.state_of(&taken).await, "ASSIGNED");
    world.server.clock.advance(7 * 24 * 3600);
    assert_eq!(code(&go(&world.admin, "AcceptDelegationRequest", &taken).await), "InvalidInput");
    assert_eq!(delegation::end_overdue(state).await.unwrap(), 2);
    assert_eq!(code(&go(&world.admin, "GetDelegationRequest", &left).await), "NoSuchEntity");
    assert_eq!(world.state_of(&taken).await, "EXPIRED");
    world.server.clock.advance(7 * 24 * 3600);
    assert_eq!(delegation::end_overdue(state).await.unwrap(), 1);
    assert_eq!(code(&go(&world.admin, "GetDelegationRequest", &taken).await), "NoSuchEntity");
    assert_eq!(
        world.admin.query("iam", "ListDelegationRequests", &[]).await.ok().xml("DelegationRequestId"),
        None
    );
}

#[tokio::test]
async fn lists_hold_what_an_account_took_on_in_pages() {
    let world = World::new().await;
    let clerk = world.customer("clerk", "").await;
    let mut requests = vec![];
    for number in 0..5 {
        let request = world.request(SETUP).await;
        let client = if number < 3 { &clerk } else { &world.admin };
        go(client, "AssociateDelegationRequest", &request).await.ok();
        requests.push(request);
    }
    world.request(SETUP).await;
    let list = async |client: &Client, form: &[(&str, &str)]| {
        client.query("iam", "ListDelegationRequests", form).await
    };
    let own = ("OwnerId", "arn:aws:iam::111122223333:user/clerk");
    assert_eq!(list(&clerk, &[own]).await.ok().xml_all("DelegationRequestId").len(), 3);
    assert_eq!(code(&list(&clerk, &[]).await), "AccessDenied");
    assert_eq!(
        code(&list(&clerk, &[("OwnerId", "arn:aws:iam::111122223333:user/admin")]).await),
        "AccessDenied"
    );
    let (mut found, mut marker) = (vec![], None::<String>);
    loop {
        let mut form = vec![("MaxItems", "2")];
        form.extend(marker.as_deref().map(|marker| ("Marker", marker)));
        let page = list(&world.admin, &form).await.ok();
        found.extend(page.xml_all("DelegationRequestId").into_iter().map(str::to_owned));
        marker = page.xml("Marker").map(str::to_owned);
        assert_eq!(page.xml("isTruncated"), Some(if marker.is_some() { "true" } else { "false" }));
        if marker.is_none() {
            break;
        }
    }
    requests.sort();
    found.sort();
    assert_eq!(found, requests);
    assert_eq!(list(&world.stranger, &[]).await.ok().xml("DelegationRequestId"), None);
    assert_eq!(list(&world.stranger, &[own]).await.ok().xml("DelegationRequestId"), None);
}

#[tokio::test]
async fn who_comes_later_under_an_owners_name_lists_none_of_its_requests() {
    let world = World::new().await;
    let clerk = world.customer("clerk", "").await;
    let request = world.request(SETUP).await;
    go(&clerk, "AssociateDelegationRequest", &request).await.ok();
    let later = world.made_again("clerk", "AKIACLERKQQQQQQQQQQQ").await;
    let own = [("OwnerId", "arn:aws:iam::111122223333:user/clerk")];
    let listed = later.query("iam", "ListDelegationRequests", &own).await.ok();
    assert_eq!(listed.xml("DelegationRequestId"), None);
    // Who may list them all still finds it by that name.
    let listed = world.admin.query("iam", "ListDelegationRequests", &own).await.ok();
    assert_eq!(listed.xml("DelegationRequestId"), Some(request.as_str()));
}

#[tokio::test]
async fn credentials_that_are_given_are_taken_however_much_the_session_holds() {
    let world = World::new().await;
    world.operator().await;
    // As long as the policy of a request may be, of what takes most room, and as many tags as a session may have.
    let [head, tail] = [
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringNotEquals":{"aws:username":""#,
        r#""}}}]}"#,
    ];
    let document = [head, &r#"\""#.repeat((2048 - head.len() - tail.len()) / 2), tail].concat();
    let (name, boundaries) = ("long".to_owned(), vec![NewBoundary::Known(BOUNDARY.to_owned())]);
    let new = NewTemplate { account: account(), name, document, boundaries };
    partner::add_template(world.server.gate.state(), "operator", new).await.unwrap();
    let tags = (1..=50).flat_map(|n| {
        let key = format!("{}{n:02}", "é".repeat(75));
        [
            (format!("Tags.member.{n}.Key"), key.clone()),
            (format!("Tags.member.{n}.Value"), String::new()),
            (format!("TransitiveTagKeys.member.{n}"), key),
        ]
    });
    let tags: Vec<(String, String)> = tags.collect();
    let mut form = vec![("RoleArn", "arn:aws:iam::111122223333:role/operator"), ("RoleSessionName", "long")];
    form.extend(tags.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let approver = world.session(&world.admin.query("sts", "AssumeRole", &form).await.ok());
    let session =
        world.delegated(&approver, "arn:aws:iam::partner:delegation-template/example.com/long").await;
    session.query("sts", "GetCallerIdentity", &[]).await.ok();
}

#[tokio::test]
async fn a_partner_has_room_for_so_many_requests() {
    let world = World::new().await;
    for _ in 0..REQUESTS_PER_PARTNER {
        world.ask(SETUP, &[]).await.ok();
    }
    assert_eq!(code(&world.ask(SETUP, &[]).await), "LimitExceeded");
}

#[tokio::test]
async fn a_check_says_whether_the_caller_has_what_is_asked_for() {
    let world = World::new().await;
    let request = world.request(SETUP).await;
    let get = |reader: &'static str| (reader, request.clone());
    for (name, policy, result) in [
        ("whole", ALL, "ALLOWED"),
        ("none", "", "DENIED"),
        (
            "half",
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}"#,
            "DENIED",
        ),
    ] {
        let client = world.customer(name, policy).await;
        let (_, request) = get(name);
        let form = [("DelegationRequestId", request.as_str()), ("DelegationPermissionCheck", "true")];
        let answer = client.query("iam", "GetDelegationRequest", &form).await.ok();
        let found = (answer.xml("PermissionCheckStatus"), answer.xml("PermissionCheckResult"));
        assert_eq!(found, (Some("COMPLETE"), Some(result)), "{name}");
    }
    let plain = go(&world.admin, "GetDelegationRequest", &request).await.ok();
    assert_eq!(plain.xml("PermissionCheckStatus"), None);
}

#[tokio::test]
async fn a_summary_says_who_may_what_for_how_long() {
    let world = World::new().await;
    let request = world.request(ROLES).await;
    let arn = format!("arn:aws:iam::{CUSTOMER}:delegation-request/{request}");
    let summary = async |locale: &str| {
        let form = [("EntityArn", arn.as_str()), ("Locale", locale)];
        world.admin.query("iam", "GetHumanReadableSummary", &form).await.ok()
    };
    let answer = summary("en-US").await;
    assert_eq!((answer.xml("SummaryState"), answer.xml("Locale")), (Some("AVAILABLE"), Some("en-US")));
    let content = answer.xml("SummaryContent").unwrap();
    for words in ["Example Corp (account 123456789012)", "3600 seconds", "It may iam:CreateRole", BOUNDARY] {
        assert!(content.contains(words), "{words}: {content}");
    }
    let answer = summary("de").await;
    assert_eq!((answer.xml("SummaryState"), answer.xml("SummaryContent")), (Some("NOT_SUPPORTED"), Some("")));
    let user = [("EntityArn", "arn:aws:iam::111122223333:user/admin")];
    let refused = world.admin.query("iam", "GetHumanReadableSummary", &user).await.refused();
    assert_eq!(refused.0, "InvalidInput");
}

#[tokio::test]
async fn the_operator_is_told_what_is_wrong_and_what_was_done_is_audited() {
    let world = World::new().await;
    let state = world.server.gate.state();
    let add = async |account: &str, name: &str, domain: &str| {
        partner::add(state, "root", &id(account), name, domain).await
    };
    assert!(matches!(add(ACCOUNT, "Again", "example.com").await, Err(PartnerError::IsPartner(_))));
    assert!(matches!(add("999999999999", "None", "example.net").await, Err(PartnerError::NoAccount(_))));
    assert!(matches!(add(CUSTOMER, "Thief", "example.com").await, Err(PartnerError::DomainTaken(_))));
    for (name, domain) in [("", "a.b"), (&"x".repeat(31), "a.b"), ("日本", "a.b"), ("x", "a/b"), ("x", "")]
    {
        let added = add(CUSTOMER, name, domain).await;
        assert!(matches!(added, Err(PartnerError::BadName(..))), "{name} {domain}: {added:?}");
    }
    let template = async |name: &str, document: &str, boundaries: Vec<NewBoundary>| {
        let (name, document) = (name.to_owned(), document.to_owned());
        let new = NewTemplate { account: account(), name, document, boundaries };
        partner::add_template(state, "root", new).await
    };
    assert!(matches!(
        template("setup", ALL, vec![NewBoundary::Known(BOUNDARY.into())]).await,
        Err(PartnerError::IsTemplate(_))
    ));
    assert!(matches!(template("x", ALL, vec![]).await, Err(PartnerError::NoBoundaryOfTemplate(_))));
    assert!(matches!(template("x", "{}", vec![]).await, Err(PartnerError::Template(_))));
    let other = NewBoundary::New("Reader_2026_11_22".into(), ALL.into());
    assert!(matches!(template("x", ALL, vec![other]).await, Err(PartnerError::IsBoundary(_))));
    let unknown = NewBoundary::Known("arn:aws:iam::111122223333:policy/mine".into());
    assert!(matches!(template("x", ALL, vec![unknown]).await, Err(PartnerError::NoBoundary(_))));
    let managed = NewBoundary::Known("arn:aws:iam::aws:policy/ReadOnlyAccess".into());
    template("x", ALL, vec![managed]).await.unwrap();
    partner::remove_template(state, "root", &account(), "x").await.unwrap();
    assert!(matches!(
        partner::remove_template(state, "root", &account(), "x").await,
        Err(PartnerError::NoTemplate(_))
    ));
    let names: Vec<String> = world.server.audit().into_iter().map(|record| record.event_name).collect();
    for name in ["AddDelegationPartner", "AddDelegationTemplate", "RemoveDelegationTemplate"] {
        assert!(names.iter().any(|known| known == name), "{name}");
    }
    let failed =
        world.server.audit().into_iter().filter(|record| record.event.contains("\"errorCode\":\"Failed\""));
    assert_eq!(failed.count(), 14);
    let shown = partner::list(state).unwrap();
    assert_eq!(
        (shown.len(), shown[0].templates.len(), &shown[0].boundaries),
        (1, 3, &vec![BOUNDARY.to_owned()])
    );
}
