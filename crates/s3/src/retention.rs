//! The lock of one version: `s3:PutObjectRetention`, `s3:GetObjectRetention`, `s3:PutObjectLegalHold`,
//! `s3:GetObjectLegalHold`.

use std::sync::Arc;

use daypass_core::model::Enumeration as _;
use daypass_core::model::s3::{
    GetObjectLegalHoldOutput, GetObjectLegalHoldRequest, GetObjectRetentionOutput, GetObjectRetentionRequest,
    ObjectLockLegalHold, ObjectLockLegalHoldStatus, ObjectLockRetention, ObjectLockRetentionMode,
    PutObjectLegalHoldOutput, PutObjectLegalHoldRequest, PutObjectRetentionOutput, PutObjectRetentionRequest,
    ops,
};
use daypass_core::objects::{Lock, RetentionMode, Timestamp};
use daypass_core::{Answered, Checks, Cx, Error, Fault, Payload, stream_operation};

use crate::authorize::{self, Conditions as _};
use crate::bucket::Bucket;
use crate::change::{self, ATTEMPTS, Change};
use crate::description::Description;
use crate::fault::malformed_xml;
use crate::object::{Subject, moment};
use crate::object_lock;

stream_operation!(PUT_OBJECT_RETENTION, ops::PutObjectRetention, put_retention_checks, put_retention);
stream_operation!(GET_OBJECT_RETENTION, ops::GetObjectRetention, get_retention_checks, get_retention);
stream_operation!(PUT_OBJECT_LEGAL_HOLD, ops::PutObjectLegalHold, put_hold_checks, put_hold);
stream_operation!(GET_OBJECT_LEGAL_HOLD, ops::GetObjectLegalHold, get_hold_checks, get_hold);

async fn find(
    cx: &Cx,
    bucket: &str,
    expected_owner: Option<&str>,
    key: &str,
    version_id: Option<&str>,
) -> Result<Subject, Error> {
    let bucket: Arc<Bucket> = Bucket::find(cx, bucket)?;
    authorize::admit(cx, &bucket, expected_owner)?;
    Subject::find(cx, bucket, key, version_id).await
}

/// `subject!(cx, input)` is the object that a request names, whichever it is.
macro_rules! subject {
    ($cx:expr, $input:expr) => {
        find(
            $cx,
            &$input.bucket,
            $input.expected_bucket_owner.as_deref(),
            &$input.key,
            $input.version_id.as_deref(),
        )
        .await?
    };
}

async fn get_retention_checks(
    cx: &Cx,
    input: &GetObjectRetentionRequest,
) -> Result<(Checks, Subject), Error> {
    let subject = subject!(cx, input);
    Ok((subject.check(cx, "s3:GetObjectRetention").into(), subject))
}

async fn get_retention(
    cx: &Cx,
    subject: Subject,
    _: GetObjectRetentionRequest,
    _: Payload,
) -> Result<Answered<GetObjectRetentionOutput>, Error> {
    object_lock::must_be_enabled(&subject.bucket)?;
    let Some((mode, until)) = subject.opened(cx)?.version.lock.retention else {
        return Err(no_lock().into());
    };
    let mode = match mode {
        RetentionMode::Governance => ObjectLockRetentionMode::GOVERNANCE,
        RetentionMode::Compliance => ObjectLockRetentionMode::COMPLIANCE,
    };
    let retention = ObjectLockRetention { mode: Some(mode), retain_until_date: Some(moment(until)) };
    Ok(Answered::new(GetObjectRetentionOutput { retention: Some(retention) }))
}

async fn put_retention_checks(
    cx: &Cx,
    input: &PutObjectRetentionRequest,
) -> Result<(Checks, Subject), Error> {
    let subject = subject!(cx, input);
    let asked = input.retention.as_ref();
    let mode = asked.and_then(|asked| asked.mode).map(|mode| mode.as_str());
    let until = asked.and_then(|asked| asked.retain_until_date);
    let check = subject.check(cx, "s3:PutObjectRetention");
    Ok((object_lock::conditions(cx, check, mode, until).into(), subject))
}

async fn put_retention(
    cx: &Cx,
    mut subject: Subject,
    input: PutObjectRetentionRequest,
    _: Payload,
) -> Result<Answered<PutObjectRetentionOutput>, Error> {
    object_lock::must_be_enabled(&subject.bucket)?;
    let wants_bypass = input.bypass_governance_retention == Some(true);
    let asked = match &input.retention {
        None => None,
        Some(ObjectLockRetention { mode: None, retain_until_date: None }) => None,
        Some(ObjectLockRetention { mode: Some(mode), retain_until_date: Some(until) }) => {
            Some((object_lock::read_mode(*mode), object_lock::in_future(cx, *until)?))
        }
        Some(_) => return Err(malformed_xml().into()),
    };
    for _ in 0..ATTEMPTS {
        let lock = subject.opened(cx)?.version.lock;
        let version_id = input.version_id.as_deref();
        let bypasses = object_lock::bypasses(cx, &subject.bucket, &input.key, version_id, wants_bypass);
        let now = Timestamp(u64::try_from(cx.now().millis()).unwrap_or(0));
        if !may_follow(lock.retention, asked, now, bypasses) {
            return Err(object_lock::protected().into());
        }
        let lock = Some(Lock { retention: asked, ..lock });
        let change = Change { lock, bypass_governance: bypasses, ..Change::default() };
        let output = PutObjectRetentionOutput::default();
        if let Some(output) = change::attempt(cx, &subject, change, output).await? {
            return Ok(Answered::new(output));
        }
        let (checks, found) = put_retention_checks(cx, &input).await?;
        cx.authorize(&checks)?;
        subject = found;
    }
    Err(change::aborted().into())
}

pub(crate) type Retention = Option<(RetentionMode, Timestamp)>;

/// Whether a retention may follow another: one that holds is only made longer, and governance is weakened only by who may
/// bypass it (S3 user guide, "Locking objects with Object Lock", "Retention modes").
fn may_follow(is: Retention, asked: Retention, now: Timestamp, bypasses: bool) -> bool {
    let Some((mode, until)) = is.filter(|(_, until)| now < *until) else { return true };
    let longer = asked.is_some_and(|(new_mode, new_until)| new_mode == mode && new_until >= until);
    longer || (mode == RetentionMode::Governance && bypasses)
}

/// The stronger of two retentions; none where each is stronger than the other in its way.
pub(crate) fn stronger(one: Retention, other: Retention, now: Timestamp) -> Option<Retention> {
    let holds = |retention: Retention| retention.filter(|(_, until)| now < *until);
    let covers = |(mode, until): (RetentionMode, Timestamp), (less, sooner): (RetentionMode, Timestamp)| {
        until >= sooner && (mode == RetentionMode::Compliance || less == RetentionMode::Governance)
    };
    match (holds(one), holds(other)) {
        (_, None) => Some(one),
        (None, Some(_)) => Some(other),
        (Some(first), Some(second)) if covers(first, second) => Some(one),
        (Some(first), Some(second)) => covers(second, first).then_some(other),
    }
}

async fn get_hold_checks(cx: &Cx, input: &GetObjectLegalHoldRequest) -> Result<(Checks, Subject), Error> {
    let subject = subject!(cx, input);
    Ok((subject.check(cx, "s3:GetObjectLegalHold").into(), subject))
}

async fn get_hold(
    cx: &Cx,
    subject: Subject,
    _: GetObjectLegalHoldRequest,
    _: Payload,
) -> Result<Answered<GetObjectLegalHoldOutput>, Error> {
    object_lock::must_be_enabled(&subject.bucket)?;
    let version = &subject.opened(cx)?.version;
    let status = match (version.lock.legal_hold, Description::decode(&version.meta)?.legal_hold_was_set) {
        (true, _) => ObjectLockLegalHoldStatus::ON,
        (false, true) => ObjectLockLegalHoldStatus::OFF,
        (false, false) => return Err(no_lock().into()),
    };
    let legal_hold = Some(ObjectLockLegalHold { status: Some(status) });
    Ok(Answered::new(GetObjectLegalHoldOutput { legal_hold }))
}

async fn put_hold_checks(cx: &Cx, input: &PutObjectLegalHoldRequest) -> Result<(Checks, Subject), Error> {
    let subject = subject!(cx, input);
    let asked = input.legal_hold.as_ref().and_then(|hold| hold.status).map(|status| status.as_str());
    let check = subject.check(cx, "s3:PutObjectLegalHold").header("s3:object-lock-legal-hold", asked);
    Ok((check.into(), subject))
}

async fn put_hold(
    cx: &Cx,
    mut subject: Subject,
    input: PutObjectLegalHoldRequest,
    _: Payload,
) -> Result<Answered<PutObjectLegalHoldOutput>, Error> {
    object_lock::must_be_enabled(&subject.bucket)?;
    let status = input.legal_hold.as_ref().and_then(|hold| hold.status).ok_or_else(malformed_xml)?;
    for _ in 0..ATTEMPTS {
        let version = &subject.opened(cx)?.version;
        let description = Description { legal_hold_was_set: true, ..Description::decode(&version.meta)? };
        let lock = Lock { legal_hold: status == ObjectLockLegalHoldStatus::ON, ..version.lock };
        let change =
            Change { meta: Some(description.encode()?.into()), lock: Some(lock), ..Change::default() };
        let output = PutObjectLegalHoldOutput::default();
        if let Some(output) = change::attempt(cx, &subject, change, output).await? {
            return Ok(Answered::new(output));
        }
        let (checks, found) = put_hold_checks(cx, &input).await?;
        cx.authorize(&checks)?;
        subject = found;
    }
    Err(change::aborted().into())
}

/// What an object says that has no lock (recorded from AWS).
fn no_lock() -> Fault {
    let words = "The specified object does not have a ObjectLock configuration";
    Fault::coded("NoSuchObjectLockConfiguration", 404, words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use RetentionMode::{Compliance, Governance};

    #[test]
    fn the_stronger_of_two_retentions_holds_longer_and_is_no_weaker() {
        let at = |mode, until| Some((mode, Timestamp(until)));
        for (one, other, expected) in [
            (None, None, Some(None)),
            (None, at(Governance, 20), Some(at(Governance, 20))),
            (at(Governance, 15), at(Governance, 20), Some(at(Governance, 20))),
            (at(Governance, 15), at(Compliance, 15), Some(at(Compliance, 15))),
            (at(Compliance, 20), at(Compliance, 20), Some(at(Compliance, 20))),
            (at(Governance, 15), at(Compliance, 14), None),
            (at(Compliance, 9), at(Governance, 11), Some(at(Governance, 11))),
            (at(Governance, 9), at(Compliance, 8), Some(at(Governance, 9))),
        ] {
            assert_eq!(stronger(one, other, Timestamp(10)), expected, "{one:?} {other:?}");
            if one.is_some_and(|(_, until)| until > Timestamp(10)) {
                assert_eq!(stronger(other, one, Timestamp(10)), expected, "{other:?} {one:?}");
            }
        }
    }

    #[test]
    fn what_holds_is_only_made_longer() {
        let at = |mode, until| Some((mode, Timestamp(until)));
        for (is, asked, bypasses, expected) in [
            (None, at(Compliance, 20), false, true),
            (at(Compliance, 9), None, false, true),
            (at(Compliance, 15), at(Compliance, 20), false, true),
            (at(Compliance, 15), at(Compliance, 14), true, false),
            (at(Compliance, 15), at(Governance, 20), true, false),
            (at(Compliance, 15), None, true, false),
            (at(Governance, 15), at(Governance, 20), false, true),
            (at(Governance, 15), at(Governance, 14), false, false),
            (at(Governance, 15), at(Governance, 14), true, true),
            (at(Governance, 15), at(Compliance, 20), false, false),
            (at(Governance, 15), at(Compliance, 20), true, true),
            (at(Governance, 15), None, false, false),
            (at(Governance, 15), None, true, true),
        ] {
            assert_eq!(
                may_follow(is, asked, Timestamp(10), bypasses),
                expected,
                "{is:?} {asked:?} {bypasses}"
            );
        }
    }
}
