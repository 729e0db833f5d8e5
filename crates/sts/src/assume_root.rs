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
    let issued = cx.now().truncated();
    let source_identity = cx.caller().session().and_then(|session| session.source_identity.clone());
    let session = Session {
        policy_arns: vec![task],
        source_identity: source_identity.clone(),
        ..Session::plain(target, SessionPrincipal::Root {}, issued, issued.plus_seconds(i64::from(seconds)))
    };
    Ok(AssumeRootResponse { credentials: Some(issue(cx, &session)?), source_identity })
}
