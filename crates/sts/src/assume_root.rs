//! `sts:AssumeRoot`: a short session of a member account's root user, for one task.

use daypass_core::model::AccountId;
use daypass_core::model::sts::{AssumeRootRequest, AssumeRootResponse, ops};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{
    AwsManagedPolicy, CallerKind, Check, Checks, Cx, Error, Fault, Session, SessionPrincipal, assume,
    operation,
};

use crate::get_session_token::issue;

operation!(ASSUME_ROOT, ops::AssumeRoot, checks, run);

/// Fifteen minutes: what a session lasts, and the most that it may (STS API reference, AssumeRoot).
const SECONDS: i32 = 900;
/// The tasks: AWS's own policies under this path, and no others.
const TASKS: &str = "arn:aws:iam::aws:policy/root-task/";

/// The account that is meant: by its number, or by its root user's ARN.
fn target(principal: &str) -> Option<AccountId> {
    let number = principal.strip_prefix("arn:aws:iam::").and_then(|rest| rest.strip_suffix(":root"));
    number.unwrap_or(principal).parse().ok()
}

fn checks(cx: &Cx, _: &Tx<'_>, input: &AssumeRootRequest) -> Result<Checks, StoreError> {
    let Some(target) = target(&input.target_principal) else {
        return Ok(Check::on_all("sts:AssumeRoot").into());
    };
    let check = Check::new("sts:AssumeRoot", format!("arn:aws:iam::{target}:root"))
        .with_some("sts:TaskPolicyArn", input.task_policy_arn.arn.clone())
        .guarded_by(assume::root_sessions(cx.state(), &cx.account(), &target))
        .of_account(target);
    Ok(check.into())
}

fn run(cx: &Cx, _: &mut Tx<'_>, input: AssumeRootRequest) -> Result<AssumeRootResponse, Error> {
    let invalid = |words: &str| Fault::coded("ValidationError", 400, words);
    let target = target(&input.target_principal).ok_or_else(|| {
        invalid("The specified TargetPrincipal is not an account ID or the ARN of a root user.")
    })?;
    // The management account's root user is nobody's but its owner's.
    if target == cx.account() || matches!(cx.caller().kind(), CallerKind::Root(_)) {
        let words = "Cannot call AssumeRoot on the account of the caller";
        return Err(Fault::new(&daypass_core::model::sts::errors::ACCESS_DENIED, words).into());
    }
    let task = input.task_policy_arn.arn.unwrap_or_default();
    if !task.starts_with(TASKS) || AwsManagedPolicy::find(&task).is_none() {
        return Err(invalid("The specified TaskPolicyArn is not a policy for a privileged task.").into());
    }
    let seconds = match input.duration_seconds {
        None | Some(0) => SECONDS,
        Some(seconds) => seconds,
    };
    let standing = cx.state().organizations.standing(&target)?.ok_or_else(|| cx.internal_failure())?;
    let principal = SessionPrincipal::Root { organization: standing.organization.id.clone() };
    let issued = cx.now().truncated();
    let source_identity = cx.caller().session().and_then(|session| session.source_identity.clone());
    let session = Session {
        policy_arns: vec![task],
        source_identity: source_identity.clone(),
        ..Session::plain(target, principal, issued, issued.plus_seconds(i64::from(seconds)))
    };
    Ok(AssumeRootResponse { credentials: Some(issue(cx, &session)?), source_identity })
}

#[cfg(test)]
mod tests {
    use daypass_core::model::AccountId;
    use daypass_core::store::records::{
        Membership, Organization, OrganizationNode, RootFeature, TrustedService,
    };
    use daypass_core::store::{Read as _, StoreError, TransactError};
    use daypass_core::testing::{Client, TestAnswer, TestServer, account};

    const TASK: &str = "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials";
    const MEMBER: &str = "444455556666";
    const MAY: &str =
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:*","Resource":"*"}}"#;

    fn member() -> AccountId {
        MEMBER.parse().unwrap()
    }

    fn gives_sessions(organization: &mut Organization) {
        let since = organization.created;
        organization.trusted_services = vec![TrustedService { principal: "iam.amazonaws.com".into(), since }];
        organization.root_features = vec![RootFeature::Sessions];
    }

    async fn server(as_is: impl Fn(&mut Organization) + Send + Sync) -> (TestServer, Client) {
        let server = TestServer::new(crate::OPERATIONS.iter().copied()).await;
        server.organize(&[account(), member()], as_is).await;
        let alice = server.user("alice", &[("may", MAY)]).await;
        (server, alice)
    }

    async fn assume(client: &Client, target: &str, task: &str, more: &[(&str, &str)]) -> TestAnswer {
        let mut form = vec![("TargetPrincipal", target), ("TaskPolicyArn.arn", task)];
        form.extend(more);
        client.query("sts", "AssumeRoot", &form).await
    }

    #[tokio::test]
    async fn the_management_account_gets_a_session_of_a_members_root_user_for_a_task() {
        let (server, alice) = server(gives_sessions).await;
        let answer = assume(&alice, MEMBER, TASK, &[]).await.ok();
        assert_eq!(answer.xml("Expiration"), Some("2026-11-22T02:29:00Z"));
        let root = server.client(
            answer.xml("AccessKeyId").unwrap(),
            answer.xml("SecretAccessKey").unwrap(),
            answer.xml("SessionToken").map(str::to_owned),
        );
        let who = root.query("sts", "GetCallerIdentity", &[]).await.ok();
        assert_eq!(who.xml("Arn"), Some("arn:aws:iam::444455556666:root"));
        assert_eq!((who.xml("UserId"), who.xml("Account")), (Some(MEMBER), Some(MEMBER)));
        // The task is all that it may.
        let key = [("AccessKeyId", "ASIAY34FZKBOKMUTVV7A")];
        let (code, message) = root.query("sts", "GetAccessKeyInfo", &key).await.refused();
        assert_eq!(code, "AccessDenied");
        assert!(message.contains("with an explicit deny in a session policy"), "{message}");
        let record = server.audit().into_iter().find(|r| r.event_name == "GetCallerIdentity").unwrap();
        assert!(
            record.event.contains(r#""type":"Root""#) && record.event.contains(r#""assumedRoot":"true""#)
        );
        server.clock.advance(900);
        assert_eq!(root.query("sts", "GetCallerIdentity", &[]).await.refused().0, "ExpiredToken");
    }

    #[tokio::test]
    async fn a_session_ends_with_what_it_was_given_by() {
        let (server, alice) = server(gives_sessions).await;
        let answer = assume(&alice, &format!("arn:aws:iam::{MEMBER}:root"), TASK, &[]).await.ok();
        let root = server.client(
            answer.xml("AccessKeyId").unwrap(),
            answer.xml("SecretAccessKey").unwrap(),
            answer.xml("SessionToken").map(str::to_owned),
        );
        root.query("sts", "GetCallerIdentity", &[]).await.ok();
        server.organize(&[account(), member()], |_| {}).await;
        assert_eq!(root.query("sts", "GetCallerIdentity", &[]).await.refused().0, "InvalidClientTokenId");
    }

    #[tokio::test]
    async fn a_session_ends_with_the_account_leaving_the_organization() {
        let (server, alice) = server(gives_sessions).await;
        let answer = assume(&alice, MEMBER, TASK, &[]).await.ok();
        let root = server.client(
            answer.xml("AccessKeyId").unwrap(),
            answer.xml("SecretAccessKey").unwrap(),
            answer.xml("SessionToken").map(str::to_owned),
        );
        root.query("sts", "GetCallerIdentity", &[]).await.ok();
        // Another organization, that gives sessions too.
        let other = |organization: &mut Organization| {
            gives_sessions(organization);
            organization.management_account = "777788889999".parse().unwrap();
            organization.id = "o-otherorgid".to_owned();
        };
        server.organize(&[account(), member()], other).await;
        let put = server.gate.state().store.transact(|tx| {
            tx.put(&Membership { account: member(), organization: "o-otherorgid".to_owned() })?;
            for id in ["r-root", MEMBER] {
                let key = OrganizationNode::key_of("o-exampleorgid", id);
                let node: OrganizationNode = tx.get(&key)?.unwrap();
                tx.put(&OrganizationNode { organization: "o-otherorgid".to_owned(), ..node })?;
            }
            Ok(())
        });
        let put: Result<(), TransactError<StoreError>> = put.await;
        put.unwrap();
        assert!(server.gate.state().organizations.standing(&member()).unwrap().is_some());
        assert_eq!(root.query("sts", "GetCallerIdentity", &[]).await.refused().0, "InvalidClientTokenId");
    }

    #[tokio::test]
    async fn who_does_not_manage_the_member_gets_none() {
        let (server, alice) = server(gives_sessions).await;
        let bob = server.user_of(&member(), "bob", &[("may", MAY)]).await;
        let nobody = server.user("nobody", &[]).await;
        let eve = server.user_of(&"777788889999".parse().unwrap(), "eve", &[("may", MAY)]).await;
        for (client, target) in [
            (&bob, "123456789012"),
            (&bob, MEMBER),
            (&nobody, MEMBER),
            (&eve, MEMBER),
            (&alice, "123456789012"),
            (&alice, "777788889999"),
        ] {
            assert_eq!(assume(client, target, TASK, &[]).await.refused().0, "AccessDenied", "{target}");
        }
        server.organize(&[account(), member()], |_| {}).await;
        assert_eq!(assume(&alice, MEMBER, TASK, &[]).await.refused().0, "AccessDenied");
    }

    #[tokio::test]
    async fn a_closed_account_has_no_root_user_to_be() {
        let (server, alice) = server(gives_sessions).await;
        assume(&alice, MEMBER, TASK, &[]).await.ok();
        server.close(&member()).await;
        assert_eq!(assume(&alice, MEMBER, TASK, &[]).await.refused().0, "AccessDenied");
    }

    #[tokio::test]
    async fn a_task_is_one_of_awss_and_a_quarter_of_an_hour_long() {
        let (_server, alice) = server(gives_sessions).await;
        for task in [
            "arn:aws:iam::aws:policy/AdministratorAccess",
            "arn:aws:iam::aws:policy/root-task/Nothing",
            "arn:aws:iam::123456789012:policy/root-task/IAMAuditRootUserCredentials",
        ] {
            assert_eq!(assume(&alice, MEMBER, task, &[]).await.refused().0, "ValidationError", "{task}");
        }
        let long = [("DurationSeconds", "901")];
        assert_eq!(assume(&alice, MEMBER, TASK, &long).await.refused().0, "ValidationError");
        let short = assume(&alice, MEMBER, TASK, &[("DurationSeconds", "60")]).await.ok();
        assert_eq!(short.xml("Expiration"), Some("2026-11-22T02:15:00Z"));
    }
}
