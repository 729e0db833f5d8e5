//! `sts:AssumeRole`: a session of a role, for whom its trust policy names.

use std::collections::BTreeSet;

use daypass_core::model::AccountId;
use daypass_core::model::sts::{AssumeRoleRequest, AssumeRoleResponse, AssumedRoleUser, ops};
use daypass_core::store::records::Role;
use daypass_core::store::{Read as _, StoreError, Tx};
use daypass_core::{
    CallerKind, Check, Checks, Cx, Error, Fault, Session, SessionPrincipal, assume, operation,
};

use crate::get_session_token::issue;
use crate::{mfa, session_policy};

operation!(ASSUME_ROLE, ops::AssumeRole, may_refuse: checks, run);

/// One hour (STS API reference, AssumeRole); also the most that a chained session may last.
const DEFAULT_SECONDS: i32 = 3600;

/// The account and the name in `arn:aws:iam::123456789012:role/path/name`.
pub(crate) fn parse_role_arn(arn: &str) -> Option<(AccountId, &str)> {
    let (account, rest) = arn.strip_prefix("arn:aws:iam::")?.split_once(":role/")?;
    let name = rest.rsplit('/').next().filter(|n| !n.is_empty())?;
    Some((account.parse().ok()?, name))
}

/// The role of that ARN, if it is there under that very path.
pub(crate) fn find_role(tx: &Tx<'_>, arn: &str) -> Result<Option<Role>, StoreError> {
    let Some((account, name)) = parse_role_arn(arn) else { return Ok(None) };
    Ok(tx.get::<Role>(&Role::key_of(&account, name))?.filter(|role| role.arn() == arn))
}

/// What is no ARN of a role, and a code that is wrong, is said to everybody who has signed: it tells nothing of the role.
fn checks(cx: &Cx, tx: &Tx<'_>, input: &AssumeRoleRequest) -> Result<Checks, Error> {
    let (account, _) = parse_role_arn(&input.role_arn).ok_or_else(|| invalid("Request ARN is invalid"))?;
    let proved = mfa::proof(cx, tx, input.serial_number.as_deref(), input.token_code.as_deref())?.is_some();
    let role = find_role(tx, &input.role_arn)?;
    let trust = assume::trust_of(cx.state(), role.as_ref());
    let tags = || input.tags.iter().map(|t| (t.key.as_str(), t.value.as_str()));
    let check = |action| {
        let mut check = Check::new(action, input.role_arn.clone())
            .guarded_by(trust.clone())
            .with("sts:RoleSessionName", input.role_session_name.clone())
            .with_some("sts:ExternalId", input.external_id.clone())
            .with_some("sts:SourceIdentity", input.source_identity.clone())
            .with_number("sts:DurationSeconds", i64::from(input.duration_seconds.unwrap_or(DEFAULT_SECONDS)))
            .request_tags(tags());
        if !input.transitive_tag_keys.is_empty() {
            check = check.with_list("sts:TransitiveTagKeys", input.transitive_tag_keys.clone());
        }
        if let Some(role) = &role {
            check = check.resource_tags(&role.tags);
        }
        if proved {
            // Over what the caller's own session says.
            check =
                check.with_flag("aws:MultiFactorAuthPresent", true).with_number("aws:MultiFactorAuthAge", 0);
        }
        check.of_account(account.clone())
    };
    let mut checks = Checks::from(check("sts:AssumeRole"));
    if !input.tags.is_empty() || !transitive(cx).is_empty() {
        checks = checks.and(check("sts:TagSession"));
    }
    if input.source_identity.is_some() || cx.caller().session().is_some_and(|s| s.source_identity.is_some()) {
        checks = checks.and(check("sts:SetSourceIdentity"));
    }
    Ok(checks)
}

/// The tags that the caller's own session hands on.
fn transitive(cx: &Cx) -> Vec<(String, String)> {
    let Some(session) = cx.caller().session() else { return vec![] };
    let handed_on = |key: &str| session.transitive_tag_keys.iter().any(|k| k.eq_ignore_ascii_case(key));
    session.tags.iter().filter(|(key, _)| handed_on(key)).cloned().collect()
}

fn run(cx: &Cx, tx: &mut Tx<'_>, input: AssumeRoleRequest) -> Result<AssumeRoleResponse, Error> {
    let role = find_role(tx, &input.role_arn)?.ok_or_else(|| cx.internal_failure())?;
    let seconds = duration(cx, &role, input.duration_seconds)?;
    if let Some(proof) = mfa::proof(cx, tx, input.serial_number.as_deref(), input.token_code.as_deref())? {
        proof.consume(tx)?;
    }
    let SessionTags { tags, transitive } = session_tags(cx, &input)?;
    let source_identity = source_identity(cx, input.source_identity)?;
    let policy = session_policy::read(&role.account, input.policy, input.policy_arns, &tags)?;
    let issued = cx.now().truncated();
    let session = Session {
        account: role.account.clone(),
        principal: SessionPrincipal::AssumedRole {
            role_name: role.name.clone(),
            role_id: role.id.clone(),
            session_name: input.role_session_name.clone(),
        },
        issued,
        expires: issued.plus_seconds(i64::from(seconds)),
        policy: policy.inline,
        policy_arns: policy.arns,
        tags,
        transitive_tag_keys: transitive,
        source_identity: source_identity.clone(),
        // The session of a role does not tell of MFA (IAM user guide, "Configuring MFA-protected API access").
        mfa: None,
        instance: None,
        federation: None,
        // A partner's session gets no other.
        delegation: None,
    };
    Ok(AssumeRoleResponse {
        credentials: Some(issue(cx, &session)?),
        assumed_role_user: Some(AssumedRoleUser {
            assumed_role_id: format!("{}:{}", role.id, input.role_session_name),
            arn: role.session_arn(&input.role_session_name),
        }),
        packed_policy_size: policy.packed_percent,
        source_identity,
    })
}

/// The session's length: at most the role's maximum, and an hour where a role is assumed with a role's session (IAM
/// guide, role chaining).
fn duration(cx: &Cx, role: &Role, asked: Option<i32>) -> Result<i32, Fault> {
    let seconds = asked.unwrap_or(DEFAULT_SECONDS);
    if matches!(cx.caller().kind(), CallerKind::Role(..)) && seconds > DEFAULT_SECONDS {
        let words = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining";
        return Err(invalid(words));
    }
    if seconds > role.max_session_seconds {
        let words = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
        return Err(invalid(words));
    }
    Ok(seconds)
}

/// The tags of a session: keys and values, and the keys of those that are handed on.
struct SessionTags {
    tags: Vec<(String, String)>,
    transitive: Vec<String>,
}

/// The tags of the new session: the request's, and those that are handed on, which the request cannot change (IAM guide,
/// chaining roles with session tags).
fn session_tags(cx: &Cx, input: &AssumeRoleRequest) -> Result<SessionTags, Fault> {
    let mut seen = BTreeSet::new();
    let handed_on = transitive(cx);
    let mut tags = handed_on.clone();
    for tag in &input.tags {
        if !seen.insert(tag.key.to_lowercase()) {
            let words = "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
            return Err(Fault::coded("InvalidParameterValue", 400, words));
        }
        if tag.key.to_lowercase().starts_with("aws:") {
            let words = "Tag keys beginning with aws: are reserved for system use.";
            return Err(Fault::coded("InvalidParameterValue", 400, words));
        }
        if handed_on.iter().any(|(key, _)| key.eq_ignore_ascii_case(&tag.key)) {
            let words = format!(
                "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session: {}",
                tag.key
            );
            return Err(Fault::coded("InvalidParameterValue", 400, words));
        }
        tags.push((tag.key.clone(), tag.value.clone()));
    }
    let mut transitive: Vec<String> = handed_on.into_iter().map(|(key, _)| key).collect();
    for key in &input.transitive_tag_keys {
        if !input.tags.iter().any(|t| t.key.eq_ignore_ascii_case(key)) {
            let words = "The specified transitive tag key must be included in the requested tags.";
            return Err(Fault::coded("InvalidParameterValue", 400, words));
        }
        // Said twice, it is no more transitive.
        if !transitive.contains(key) {
            transitive.push(key.clone());
        }
    }
    Ok(SessionTags { tags, transitive })
}

/// A source identity, once set, stays for the whole chain.
fn source_identity(cx: &Cx, asked: Option<String>) -> Result<Option<String>, Fault> {
    let known = cx.caller().session().and_then(|s| s.source_identity.clone());
    match (known, asked) {
        (Some(known), Some(asked)) if known != asked => {
            Err(access_denied("SourceIdentity cannot be changed once it is set"))
        }
        (known, asked) => Ok(known.or(asked)),
    }
}

fn invalid(words: &str) -> Fault {
    Fault::new(&daypass_core::model::sts::errors::VALIDATION_ERROR, words)
}

fn access_denied(words: &str) -> Fault {
    Fault::new(&daypass_core::model::sts::errors::ACCESS_DENIED, words)
}

#[cfg(test)]
mod tests {
    use daypass_core::store::records::{Policies, Role};
    use daypass_core::store::{StoreError, TransactError};
    use daypass_core::testing::{Client, TestAnswer, TestServer, account};

    const ROLE: &str = "arn:aws:iam::123456789012:role/ops/deploy";
    const MAY: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["sts:AssumeRole","sts:TagSession"],"Resource":"*"}}"#;

    async fn server(trust: &str) -> TestServer {
        let server = TestServer::new(crate::OPERATIONS.iter().copied()).await;
        let info = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:GetAccessKeyInfo","Resource":"*"}}"#;
        let role = Role {
            account: account(),
            path: "/ops/".into(),
            name: "deploy".into(),
            id: "AROADEPLOYQQQQQQQQQQQ".into(),
            created: daypass_core::model::Timestamp::default(),
            description: None,
            trust_policy: trust.into(),
            max_session_seconds: 7200,
            policies: Policies { inline: [("info".to_owned(), info.to_owned())].into(), attached: vec![] },
            permissions_boundary: None,
            tags: vec![],
            instance_profiles: vec![],
        };
        let put: Result<(), TransactError<StoreError>> =
            server.gate.state().store.transact(|tx| tx.put(&role)).await;
        put.unwrap();
        server
    }

    fn trust(extra: &str) -> String {
        format!(
            r#"{{"Version":"2012-10-17","Statement":{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::123456789012:root"}},"Action":["sts:AssumeRole","sts:TagSession"]{extra}}}}}"#
        )
    }

    async fn assume(client: &Client, parameters: &[(&str, &str)]) -> TestAnswer {
        let mut all = vec![("RoleArn", ROLE), ("RoleSessionName", "s1")];
        all.extend(parameters);
        client.query("sts", "AssumeRole", &all).await
    }

    fn session(server: &TestServer, answer: &TestAnswer) -> Client {
        server.client(
            answer.xml("AccessKeyId").unwrap(),
            answer.xml("SecretAccessKey").unwrap(),
            answer.xml("SessionToken").map(str::to_owned),
        )
    }

    #[tokio::test]
    async fn the_roles_of_a_closed_account_are_out_of_reach() {
        let management = "444455556666".parse().unwrap();
        let server = server(&trust("").replace("123456789012", "444455556666")).await;
        server.organize(&[management, account()], |_| {}).await;
        let bob = server.user_of(&"444455556666".parse().unwrap(), "bob", &[("may", MAY)]).await;
        assume(&bob, &[]).await.ok();
        server.close(&account()).await;
        assert_eq!(assume(&bob, &[]).await.refused().0, "AccessDenied");
        let told = server.audit().pop().unwrap().explanation.unwrap();
        assert!(told.contains("the account of the resource is closed"), "{told}");
    }

    #[tokio::test]
    async fn who_is_trusted_and_allowed_becomes_the_role() {
        let server = server(&trust("")).await;
        let alice = server.user("alice", &[("may", MAY)]).await;
        let answer = assume(&alice, &[]).await.ok();
        assert_eq!(answer.xml("Arn"), Some("arn:aws:sts::123456789012:assumed-role/deploy/s1"));
        assert_eq!(answer.xml("AssumedRoleId"), Some("AROADEPLOYQQQQQQQQQQQ:s1"));
        assert_eq!(answer.xml("Expiration"), Some("2026-11-22T03:14:00Z"));
        assert_eq!(answer.xml("PackedPolicySize"), None);
        let key = [("AccessKeyId", "ASIAY34FZKBOKMUTVV7A")];
        session(&server, &answer).query("sts", "GetAccessKeyInfo", &key).await.ok();
        // A secret or a token never stands in the audit log.
        let (secret, token) = (answer.xml("SecretAccessKey").unwrap(), answer.xml("SessionToken").unwrap());
        assert!(server.audit().iter().all(|r| !r.event.contains(secret) && !r.event.contains(token)));
    }

    #[tokio::test]
    async fn an_external_id_has_to_be_the_one() {
        let server = server(&trust(r#","Condition":{"StringEquals":{"sts:ExternalId":"x-1"}}"#)).await;
        let alice = server.user("alice", &[("may", MAY)]).await;
        assert_eq!(assume(&alice, &[]).await.refused().0, "AccessDenied");
        assert_eq!(assume(&alice, &[("ExternalId", "X-1")]).await.refused().0, "AccessDenied");
        assume(&alice, &[("ExternalId", "x-1")]).await.ok();
    }

    #[tokio::test]
    async fn who_is_not_allowed_does_not_learn_whether_the_role_exists() {
        let server = server(&trust("")).await;
        let nobody = server.user("nobody", &[]).await;
        let refused = assume(&nobody, &[]).await.refused();
        let missing = ROLE.replace("deploy", "nothing");
        let ask = [("RoleArn", missing.as_str()), ("RoleSessionName", "s1")];
        let of_nothing = nobody.query("sts", "AssumeRole", &ask).await.refused();
        assert_eq!(refused.0, of_nothing.0);
        let alice = server.user("alice", &[("may", MAY)]).await;
        assert_eq!(alice.query("sts", "AssumeRole", &ask).await.refused().0, "AccessDenied");
        // Nor is a role found under another path than its own.
        let elsewhere = ROLE.replace("/ops/", "/");
        let ask = [("RoleArn", elsewhere.as_str()), ("RoleSessionName", "s1")];
        assert_eq!(alice.query("sts", "AssumeRole", &ask).await.refused().0, "AccessDenied");
    }

    #[tokio::test]
    async fn what_is_no_arn_of_a_role_is_said_to_be_none() {
        let server = server(&trust("")).await;
        let nobody = server.user("nobody", &[]).await;
        for arn in [
            "arn:aws:iam::123456789012:user/deploy",
            "arn:aws:iam::123456789012:role/",
            "arn:aws:iam::1234:role/deploy",
            "arn:aws:s3:::bucket/role/deploy",
            "deploydeploydeploydeploy",
        ] {
            let ask = [("RoleArn", arn), ("RoleSessionName", "s1")];
            let expected = ("ValidationError".to_owned(), "Request ARN is invalid".to_owned());
            assert_eq!(nobody.query("sts", "AssumeRole", &ask).await.refused(), expected, "{arn}");
        }
    }

    #[tokio::test]
    async fn session_policies_only_narrow() {
        let server = server(&trust("")).await;
        let alice = server.user("alice", &[("may", MAY)]).await;
        let key = [("AccessKeyId", "ASIAY34FZKBOKMUTVV7A")];
        let none =
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#;
        let narrowed = session(&server, &assume(&alice, &[("Policy", none)]).await.ok());
        let (code, message) = narrowed.query("sts", "GetAccessKeyInfo", &key).await.refused();
        assert_eq!(code, "AccessDenied");
        assert!(
            message.ends_with("because no session policy allows the sts:GetAccessKeyInfo action"),
            "{message}"
        );
        let managed = [("PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/AdministratorAccess")];
        let answer = assume(&alice, &managed).await.ok();
        assert!(answer.xml("PackedPolicySize").is_some());
        session(&server, &answer).query("sts", "GetAccessKeyInfo", &key).await.ok();
        assert_eq!(assume(&alice, &[("Policy", "{}")]).await.refused().0, "MalformedPolicyDocument");
    }

    #[tokio::test]
    async fn a_chain_is_an_hour_long_at_most() {
        let server = server(&trust("")).await;
        let alice = server.user("alice", &[("may", MAY)]).await;
        assume(&alice, &[("DurationSeconds", "7200")]).await.ok();
        let (code, message) = assume(&alice, &[("DurationSeconds", "7201")]).await.refused();
        assert_eq!(code, "ValidationError");
        assert!(message.contains("MaxSessionDuration"), "{message}");
        let administrator = server.administrator().await;
        let (_, message) = assume(&administrator, &[("DurationSeconds", "3601")]).await.refused();
        assert!(message.contains("role chaining"), "{message}");
        assume(&administrator, &[]).await.ok();
    }

    #[tokio::test]
    async fn session_tags_must_be_allowed_and_unique() {
        let server = server(&trust("")).await;
        let only = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Resource":"*"}}"#;
        let bob = server.user("bob", &[("only", only)]).await;
        let tag = [("Tags.member.1.Key", "team"), ("Tags.member.1.Value", "red")];
        assert_eq!(assume(&bob, &tag).await.refused().0, "AccessDenied");
        let alice = server.user("alice", &[("may", MAY)]).await;
        assume(&alice, &tag).await.ok();
        let twice = [&tag[..], &[("Tags.member.2.Key", "TEAM"), ("Tags.member.2.Value", "blue")]].concat();
        assert_eq!(assume(&alice, &twice).await.refused().0, "InvalidParameterValue");
    }
}
