use daypass_core::testing::TestAnswer;

use crate::support::{Account, DOCUMENT, allow, refusal};

const ALICE: &str = "arn:aws:iam::123456789012:user/alice";

async fn job(account: &Account, arn: &str) -> String {
    let made = account.ok("GenerateServiceLastAccessedDetails", &[("Arn", arn)]).await;
    made.xml("JobId").unwrap().to_owned()
}

async fn details(account: &Account, arn: &str) -> TestAnswer {
    let job = job(account, arn).await;
    let told = account.ok("GetServiceLastAccessedDetails", &[("JobId", &job)]).await;
    assert_eq!((told.xml("JobStatus"), told.xml("JobType")), (Some("COMPLETED"), Some("SERVICE_LEVEL")));
    told
}

#[tokio::test]
async fn what_a_user_may_use_is_listed_with_its_last_use() {
    let account = Account::new().await;
    let may = allow(r#"["iam:GetUser","sqs:*","s3:GetObject"]"#, "*", "");
    let alice = account.server.user("alice", &[("may", &may)]).await;
    let never = details(&account, ALICE).await;
    assert_eq!(never.xml_all("ServiceNamespace"), ["iam", "s3", "sqs"]);
    assert!(never.xml("LastAuthenticated").is_none());
    assert_eq!(never.xml_all("TotalAuthenticatedEntities"), ["0", "0", "0"]);
    alice.query("iam", "GetUser", &[]).await.ok();
    account.server.clock.advance(60);
    // What was refused was tried all the same.
    alice.query("iam", "ListUsers", &[]).await.refused();
    account.server.gate.write_last_used().await.unwrap();
    let used = details(&account, ALICE).await;
    let (iam, rest) = used.body.split_once("</member>").unwrap();
    assert!(iam.contains("<LastAuthenticated>2026-11-22T02:15:00Z<") && iam.contains(ALICE), "{iam}");
    assert!(iam.contains("<LastAuthenticatedRegion>us-east-1<"), "{iam}");
    assert!(iam.contains("<ServiceName>AWS Identity and Access Management<"), "{iam}");
    assert!(!rest.contains("<LastAuthenticated>"), "{rest}");
}

#[tokio::test]
async fn a_group_and_a_policy_are_told_by_whom_they_were_used() {
    let account = Account::new().await;
    let alice = account.server.user("alice", &[]).await;
    account.server.user("bob", &[]).await;
    account.group("staff").await;
    account.ok("AddUserToGroup", &[("UserName", "alice"), ("GroupName", "staff")]).await;
    account.ok("AddUserToGroup", &[("UserName", "bob"), ("GroupName", "staff")]).await;
    let policy = "arn:aws:iam::aws:policy/IAMReadOnlyAccess";
    account.ok("AttachGroupPolicy", &[("GroupName", "staff"), ("PolicyArn", policy)]).await;
    alice.query("iam", "ListUsers", &[]).await.ok();
    account.server.gate.write_last_used().await.unwrap();
    for arn in ["arn:aws:iam::123456789012:group/staff", policy] {
        let told = details(&account, arn).await;
        assert_eq!(told.xml("LastAuthenticatedEntity"), Some(ALICE), "{arn}");
        assert_eq!(told.xml("TotalAuthenticatedEntities"), Some("1"));
        let job = job(&account, arn).await;
        let ask = [("JobId", job.as_str()), ("ServiceNamespace", "iam")];
        let first = account
            .ok("GetServiceLastAccessedDetailsWithEntities", &[ask[0], ask[1], ("MaxItems", "1")])
            .await;
        assert_eq!((first.xml_all("Arn"), first.xml("IsTruncated")), (vec![ALICE], Some("true")));
        assert_eq!(
            (first.xml("Type"), first.xml("LastAuthenticated")),
            (Some("USER"), Some("2026-11-22T02:14:00Z"))
        );
        let rest = [ask[0], ask[1], ("Marker", first.xml("Marker").unwrap())];
        let rest = account.ok("GetServiceLastAccessedDetailsWithEntities", &rest).await;
        assert_eq!((rest.xml("Name"), rest.xml("LastAuthenticated")), (Some("bob"), None));
    }
}

#[tokio::test]
async fn services_come_in_pages() {
    let account = Account::new().await;
    let job = job(&account, "arn:aws:iam::123456789012:role/Administrator").await;
    let (mut seen, mut marker): (usize, Option<String>) = (0, None);
    loop {
        let mut ask = vec![("JobId", job.as_str()), ("MaxItems", "200")];
        ask.extend(marker.as_deref().map(|marker| ("Marker", marker)));
        let page = account.ok("GetServiceLastAccessedDetails", &ask).await;
        seen += page.xml_all("ServiceNamespace").len();
        match page.xml("Marker") {
            Some(next) => marker = Some(next.to_owned()),
            None => break,
        }
    }
    assert!(seen > 400, "{seen}");
}

#[tokio::test]
async fn what_is_not_there_has_no_details_and_a_job_lasts_a_day() {
    let account = Account::new().await;
    for (arn, words) in [
        (ALICE, "The user with name alice cannot be found."),
        (
            "arn:aws:iam::123456789012:policy/none",
            "Policy arn:aws:iam::123456789012:policy/none was not found.",
        ),
    ] {
        let refused = account.refused("GenerateServiceLastAccessedDetails", &[("Arn", arn)]).await;
        assert_eq!(refused, refusal(404, "NoSuchEntity", words));
    }
    let odd = account
        .refused("GenerateServiceLastAccessedDetails", &[("Arn", "arn:aws:s3:::bucket-of-mine")])
        .await;
    assert_eq!(odd.1, "InvalidInput");
    account.user("alice").await;
    let job = job(&account, ALICE).await;
    account.server.clock.advance(86_400);
    let administrator = account.server.administrator().await;
    let old = administrator.query("iam", "GetServiceLastAccessedDetails", &[("JobId", &job)]).await;
    assert_eq!(old.refused(), ("NoSuchEntity".to_owned(), format!("The job with id {job} cannot be found.")));
}

#[tokio::test]
async fn policies_that_let_use_a_service_are_told() {
    let account = Account::new().await;
    account.user("alice").await;
    account.group("staff").await;
    account.ok("AddUserToGroup", &[("UserName", "alice"), ("GroupName", "staff")]).await;
    let inline = [("PolicyName", "queue"), ("PolicyDocument", DOCUMENT)];
    account.ok("PutGroupPolicy", &[&[("GroupName", "staff")][..], &inline].concat()).await;
    let arn = account.policy("own").await;
    account.ok("AttachUserPolicy", &[("UserName", "alice"), ("PolicyArn", &arn)]).await;
    let ask = [("Arn", ALICE), ("ServiceNamespaces.member.1", "sqs"), ("ServiceNamespaces.member.2", "s3")];
    let told = account.ok("ListPoliciesGrantingServiceAccess", &ask).await;
    assert_eq!(told.xml_all("ServiceNamespace"), ["sqs", "s3"]);
    assert_eq!(told.xml_all("PolicyName"), ["own", "queue"]);
    assert_eq!(told.xml_all("PolicyType"), ["MANAGED", "INLINE"]);
    assert_eq!(
        (told.xml("PolicyArn"), told.xml("EntityType"), told.xml("EntityName")),
        (Some(arn.as_str()), Some("GROUP"), Some("staff"))
    );
    let odd = [ask[0], ("ServiceNamespaces.member.1", "nothing")];
    assert_eq!(account.refused("ListPoliciesGrantingServiceAccess", &odd).await.1, "InvalidInput");
}

#[tokio::test]
async fn who_is_deleted_leaves_no_use_behind() {
    use daypass_core::store::{Prefix, Read as _, StoreError};
    let account = Account::new().await;
    let alice = account.server.user("alice", &[]).await;
    alice.query("iam", "GetUser", &[]).await.refused();
    account.server.gate.write_last_used().await.unwrap();
    let left = || {
        let state = account.server.gate.state();
        let prefix = Prefix::new(&["last-used", "123456789012", "service", "AIDAALICEQQQQQQQQQQQQ"]);
        let keys: Result<_, StoreError> = state.store.read(|tx| tx.keys(&prefix, None, 10));
        keys.unwrap().len()
    };
    assert_eq!(left(), 1);
    let key = ("AccessKeyId", "AKIAALICEQQQQQQQQQQQ");
    account.ok("DeleteAccessKey", &[("UserName", "alice"), key]).await;
    account.ok("DeleteUser", &[("UserName", "alice")]).await;
    assert_eq!(left(), 0);
}
