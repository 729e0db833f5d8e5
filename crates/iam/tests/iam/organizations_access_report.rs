use daypass_core::model::AccountId;
use daypass_core::store::records::{ControlPolicyType, Organization};
use daypass_core::testing::{Client, TestAnswer, TestServer, account};

const ALL: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
const ROOT: &str = "o-exampleorgid/r-root";
const QUEUES: &str = r#"{"Version":"2012-10-17","Statement":[
    {"Effect":"Allow","Action":["sqs:*","iam:*","s3:*"],"Resource":"*"},
    {"Effect":"Deny","Action":"s3:*","Resource":"*"}]}"#;

fn member(number: &str) -> AccountId {
    number.parse().unwrap()
}

fn limits(organization: &mut Organization) {
    organization.policy_types = vec![ControlPolicyType::ServiceControlPolicy];
}

/// An organization with two accounts below its management account; the first of them has a policy of its own.
async fn server() -> TestServer {
    let server = TestServer::new(daypass_iam::OPERATIONS.iter().copied()).await;
    server.organize(&[account(), member("444455556666"), member("777788889999")], limits).await;
    server.limit(&member("444455556666"), "p-queues0001", QUEUES, &[]).await;
    server
}

async fn generate(caller: &Client, ask: &[(&str, &str)]) -> String {
    let made = caller.query("iam", "GenerateOrganizationsAccessReport", ask).await.ok();
    made.xml("JobId").unwrap().to_owned()
}

async fn report(caller: &Client, ask: &[(&str, &str)]) -> TestAnswer {
    let job = generate(caller, ask).await;
    let ask = [("JobId", job.as_str()), ("MaxItems", "1000")];
    let told = caller.query("iam", "GetOrganizationsAccessReport", &ask).await.ok();
    assert_eq!(told.xml("JobStatus"), Some("COMPLETED"), "{}", told.body);
    told
}

/// What a report says of a service.
fn of<'a>(told: &'a TestAnswer, service: &str) -> Option<&'a str> {
    let name = format!("<ServiceNamespace>{service}<");
    told.body.split("<member>").find(|member| member.contains(&name))
}

#[tokio::test]
async fn an_organization_is_told_which_services_its_accounts_used() {
    let server = server().await;
    let alice = server.user("alice", &[("all", ALL)]).await;
    let bob = server.user_of(&member("444455556666"), "bob", &[("all", ALL)]).await;
    let carol = server.user_of(&member("777788889999"), "carol", &[("all", ALL)]).await;
    bob.query("iam", "ListUsers", &[]).await.ok();
    server.clock.advance(60);
    carol.query("iam", "ListUsers", &[]).await.ok();
    server.clock.advance(60);
    alice.query("iam", "ListUsers", &[]).await.ok();
    server.gate.write_last_used().await.unwrap();

    let told = report(&alice, &[("EntityPath", ROOT)]).await;
    let iam = of(&told, "iam").unwrap();
    assert!(iam.contains("<EntityPath>o-exampleorgid/r-root/777788889999<"), "{iam}");
    assert!(iam.contains("<LastAuthenticatedTime>2026-11-22T02:15:00Z<"), "{iam}");
    assert!(iam.contains("<Region>us-east-1<") && iam.contains("<TotalAuthenticatedEntities>2<"), "{iam}");
    let s3 = of(&told, "s3").unwrap();
    assert!(s3.contains("<TotalAuthenticatedEntities>0<") && !s3.contains("<Region>"), "{s3}");
    let number = |told: &TestAnswer, name: &str| told.xml(name).unwrap().parse::<usize>().unwrap();
    let (may, not) =
        (number(&told, "NumberOfServicesAccessible"), number(&told, "NumberOfServicesNotAccessed"));
    assert!(may > 400 && not == may - 1, "{may} {not}");

    // The management account is in no report but its own.
    let own = format!("{ROOT}/{}", account());
    let own = report(&alice, &[("EntityPath", &own), ("OrganizationsPolicyId", "p-queues0001")]).await;
    assert_eq!(number(&own, "NumberOfServicesAccessible"), may);
    let iam = of(&own, "iam").unwrap();
    assert!(iam.contains("02:16:00Z<") && iam.contains("<TotalAuthenticatedEntities>1<"), "{iam}");
}

#[tokio::test]
async fn a_report_lists_what_service_control_policies_let_use() {
    let server = server().await;
    let alice = server.user("alice", &[("all", ALL)]).await;
    let bob = server.user_of(&member("444455556666"), "bob", &[("all", ALL)]).await;
    let carol = server.user_of(&member("777788889999"), "carol", &[("all", ALL)]).await;
    bob.query("iam", "ListUsers", &[]).await.ok();
    server.clock.advance(60);
    carol.query("iam", "ListUsers", &[]).await.ok();
    server.gate.write_last_used().await.unwrap();
    let limited = report(&alice, &[("EntityPath", "o-exampleorgid/r-root/444455556666")]).await;
    assert_eq!(limited.xml_all("ServiceNamespace"), ["iam", "sqs"]);
    // A policy is told by the accounts that it applies to alone.
    let policy = ("OrganizationsPolicyId", "p-queues0001");
    let told = report(&alice, &[("EntityPath", ROOT), policy]).await;
    assert_eq!(told.xml_all("ServiceNamespace"), ["iam", "sqs"]);
    assert!(of(&told, "iam").unwrap().contains("444455556666<"), "{}", told.body);
    assert_eq!(told.xml_all("TotalAuthenticatedEntities"), ["1", "0"]);
    let elsewhere = [("EntityPath", "o-exampleorgid/r-root/777788889999"), policy];
    let told = report(&alice, &elsewhere).await;
    assert_eq!(told.xml_all("TotalAuthenticatedEntities"), ["0", "0"]);
}

#[tokio::test]
async fn services_come_in_pages_and_in_the_order_asked_for() {
    let server = server().await;
    let alice = server.user("alice", &[("all", ALL)]).await;
    let bob = server.user_of(&member("444455556666"), "bob", &[("all", ALL)]).await;
    bob.query("iam", "ListUsers", &[]).await.ok();
    server.gate.write_last_used().await.unwrap();
    let job = generate(&alice, &[("EntityPath", "o-exampleorgid/r-root/444455556666")]).await;
    for (key, order) in [
        ("SERVICE_NAMESPACE_ASCENDING", ["iam", "sqs"]),
        ("SERVICE_NAMESPACE_DESCENDING", ["sqs", "iam"]),
        ("LAST_AUTHENTICATED_TIME_ASCENDING", ["sqs", "iam"]),
        ("LAST_AUTHENTICATED_TIME_DESCENDING", ["iam", "sqs"]),
    ] {
        let ask = [("JobId", job.as_str()), ("SortKey", key), ("MaxItems", "1")];
        let first = alice.query("iam", "GetOrganizationsAccessReport", &ask).await.ok();
        assert_eq!((first.xml("ServiceNamespace"), first.xml("IsTruncated")), (Some(order[0]), Some("true")));
        let ask = [ask[0], ask[1], ("Marker", first.xml("Marker").unwrap())];
        let rest = alice.query("iam", "GetOrganizationsAccessReport", &ask).await.ok();
        assert_eq!(
            (rest.xml_all("ServiceNamespace"), rest.xml("IsTruncated")),
            (vec![order[1]], Some("false"))
        );
    }
}

#[tokio::test]
async fn what_cannot_be_reported_is_a_job_that_failed() {
    let server = server().await;
    let alice = server.user("alice", &[("all", ALL)]).await;
    let bob = server.user_of(&member("444455556666"), "bob", &[("all", ALL)]).await;
    let off = TestServer::new(daypass_iam::OPERATIONS.iter().copied()).await;
    off.organize(&[account()], |_| {}).await;
    let dave = off.user("dave", &[("all", ALL)]).await;
    let alone = TestServer::new(daypass_iam::OPERATIONS.iter().copied()).await;
    let erin = alone.user("erin", &[("all", ALL)]).await;
    let nowhere = "o-exampleorgid/r-root/ou-root-00000000/444455556666";
    let not_management = "The account is not the management account of an organization.";
    for (caller, path, policy, why) in [
        (&bob, ROOT, None, not_management),
        (&erin, ROOT, None, not_management),
        (&dave, ROOT, None, "Service control policies are not enabled in the root of the organization."),
        (&alice, nowhere, None, &format!("There is no entity with the path {nowhere} in the organization.")),
        (&alice, ROOT, Some("p-nothing0001"), "There is no service control policy p-nothing0001."),
        (&alice, ROOT, Some("p-RCPFullAWSAccess"), "There is no service control policy p-RCPFullAWSAccess."),
    ] {
        let mut ask = vec![("EntityPath", path)];
        ask.extend(policy.map(|policy| ("OrganizationsPolicyId", policy)));
        let job = generate(caller, &ask).await;
        let told = caller.query("iam", "GetOrganizationsAccessReport", &[("JobId", &job)]).await.ok();
        assert_eq!((told.xml("JobStatus"), told.xml("Message")), (Some("FAILED"), Some(why)));
        assert!(!told.body.contains("AccessDetails"), "{}", told.body);
    }
}

#[tokio::test]
async fn a_report_is_its_accounts_own_needs_permission_and_lasts_a_day() {
    let server = server().await;
    let alice = server.user("alice", &[("all", ALL)]).await;
    let bob = server.user_of(&member("444455556666"), "bob", &[("all", ALL)]).await;
    let may = format!(
        r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Action":"iam:GenerateOrganizationsAccessReport",
        "Resource":"arn:aws:iam::{}:access-report/{ROOT}","Condition":{{"StringEquals":{{"iam:OrganizationsPolicyId":"p-queues0001"}}}}}}}}"#,
        account()
    );
    let carol = server.user("carol", &[("may", &may)]).await;
    let ask = [("EntityPath", ROOT), ("OrganizationsPolicyId", "p-queues0001")];
    let job = generate(&carol, &ask).await;
    let refused = carol.query("iam", "GenerateOrganizationsAccessReport", &ask[..1]).await.refused();
    assert_eq!(refused.0, "AccessDenied");
    assert!(refused.1.contains(&format!("on resource: arn:aws:iam::{}:access-report/{ROOT}", account())));
    let ask = [("JobId", job.as_str())];
    assert_eq!(carol.query("iam", "GetOrganizationsAccessReport", &ask).await.refused().0, "AccessDenied");
    alice.query("iam", "GetOrganizationsAccessReport", &ask).await.ok();
    let gone = ("NoSuchEntity".to_owned(), format!("The job with id {job} cannot be found."));
    assert_eq!(bob.query("iam", "GetOrganizationsAccessReport", &ask).await.refused(), gone);
    server.clock.advance(86_400);
    assert_eq!(alice.query("iam", "GetOrganizationsAccessReport", &ask).await.refused(), gone);
    let odd = alice.query("iam", "GenerateOrganizationsAccessReport", &[("EntityPath", "o-short")]).await;
    assert_eq!(odd.refused().0, "ValidationError");
}
