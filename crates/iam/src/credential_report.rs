//! `GenerateCredentialReport` and `GetCredentialReport`: every user and the state of its credentials, as a table.

use daypass_core::model::iam::{
    GenerateCredentialReportResponse, GetCredentialReportResponse, ReportFormatType, ReportStateType, errors,
    ops,
};
use daypass_core::model::{AccountId, Blob, Timestamp};
use daypass_core::store::records::{
    AccessKey, AccessKeyLastUsed, AccessKeyStatus, Account, PasswordPolicy, User,
};
use daypass_core::store::{Key, Read as _, Record, StoreError, Tx};
use daypass_core::{Check, Cx, Error, Fault, operation};
use serde::{Deserialize, Serialize};

use crate::signing_certificate::SigningCertificate;
use crate::user_credential::{Status, all_of};
use crate::{login_profile, mfa_device, password};

operation!(
    GENERATE_CREDENTIAL_REPORT,
    ops::GenerateCredentialReport,
    |cx, _, _| Ok(Check::on_all(cx.operation().action).into()),
    |cx, tx, ()| generate(cx, tx)
);
operation!(
    GET_CREDENTIAL_REPORT,
    ops::GetCredentialReport,
    |cx, _, _| Ok(Check::on_all(cx.operation().action).into()),
    |cx, tx, ()| get(cx, tx)
);

/// A report is made at most every four hours (IAM user guide, "Getting credential reports").
const GOOD_SECONDS: i64 = 4 * 3600;
const DAY_SECONDS: i64 = 86_400;

/// The columns, in AWS's order.
const COLUMNS: &str = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,cert_2_last_rotated";
/// What is said where there is nothing of the kind.
const NOTHING: &str = "N/A";

/// The last report of an account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Report {
    account: AccountId,
    generated: Timestamp,
    content: String,
}

impl Report {
    fn key_of(account: &AccountId) -> Key {
        Key::new(&["iam", account.as_str(), "credential-report"])
    }

    fn is_good(&self, now: Timestamp) -> bool {
        self.generated.plus_seconds(GOOD_SECONDS) > now
    }
}

impl Record for Report {
    fn key(&self) -> Key {
        Self::key_of(&self.account)
    }
}

fn generate(cx: &Cx, tx: &mut Tx<'_>) -> Result<GenerateCredentialReportResponse, Error> {
    let account = cx.account();
    let known = tx.get::<Report>(&Report::key_of(&account))?;
    if known.is_some_and(|report| report.is_good(cx.now())) {
        return Ok(GenerateCredentialReportResponse {
            state: Some(ReportStateType::COMPLETE),
            description: None,
        });
    }
    // Read apart from this transaction: a user that changes meanwhile must not make it start over.
    let content = cx.state().store.read(|tx| table(cx, tx))?;
    tx.put(&Report { account, generated: cx.now().truncated(), content })?;
    Ok(GenerateCredentialReportResponse {
        state: Some(ReportStateType::STARTED),
        description: Some("No report exists. Starting a new report generation task".to_owned()),
    })
}

fn get(cx: &Cx, tx: &Tx<'_>) -> Result<GetCredentialReportResponse, Error> {
    let report = tx.get::<Report>(&Report::key_of(&cx.account()))?;
    let report = report.ok_or_else(|| Fault::new(&errors::REPORT_NOT_PRESENT, "No report exists"))?;
    if !report.is_good(cx.now()) {
        let words = "The most recent report has expired. Generate a new report.";
        return Err(Fault::new(&errors::REPORT_EXPIRED, words).into());
    }
    Ok(GetCredentialReportResponse {
        content: Some(Blob(report.content.into_bytes())),
        report_format: Some(ReportFormatType::TextCsv),
        generated_time: Some(report.generated),
    })
}

/// A line for the root user, and one for every user.
fn table(cx: &Cx, tx: &Tx<'_>) -> Result<String, StoreError> {
    let account = cx.account();
    let mut lines = vec![COLUMNS.to_owned()];
    let created = tx.get::<Account>(&Account::key_of(&account))?.map(|account| account.created);
    lines.push(root(&account, created.unwrap_or_default()));
    let policy = password::policy(cx, tx)?;
    for user in tx.all::<User>(&User::all(&account))? {
        lines.push(line(tx, &user, policy.as_ref())?);
    }
    Ok(lines.join("\n"))
}

/// Nobody signs in as root here: it has no password, keys, certificates or devices.
fn root(account: &AccountId, created: Timestamp) -> String {
    let mut fields = vec!["<root_account>".to_owned(), format!("arn:aws:iam::{account}:root"), time(created)];
    fields.extend(
        ["not_supported", "no_information", "not_supported", "not_supported", "false"].map(str::to_owned),
    );
    for _ in 0..2 {
        fields.extend(no_key());
    }
    fields.extend(["false", NOTHING, "false", NOTHING].map(str::to_owned));
    fields.join(",")
}

fn line(tx: &Tx<'_>, user: &User, policy: Option<&PasswordPolicy>) -> Result<String, StoreError> {
    let mut fields = vec![field(&user.name), field(&user.arn()), time(user.created)];
    match login_profile::find(tx, user)? {
        Some(profile) => {
            let days = policy.and_then(|policy| policy.max_age_days);
            let next = days.map(|days| time(profile.changed.plus_seconds(i64::from(days) * DAY_SECONDS)));
            let next = next.unwrap_or_else(|| NOTHING.to_owned());
            // Nothing here signs in with it yet.
            fields.extend(["true".to_owned(), "no_information".to_owned(), time(profile.changed), next]);
        }
        None => fields.extend(["false", NOTHING, NOTHING, NOTHING].map(str::to_owned)),
    }
    fields.push((!mfa_device::of_user(tx, user)?.is_empty()).to_string());
    for place in 0..2 {
        let key = match user.access_keys.get(place) {
            Some(id) => tx.get::<AccessKey>(&AccessKey::key_of(id))?,
            None => None,
        };
        fields.extend(match key {
            Some(key) => of_key(tx, &key)?,
            None => no_key(),
        });
    }
    let certificates: Vec<SigningCertificate> = all_of(tx, user)?;
    for place in 0..2 {
        match certificates.get(place) {
            Some(certificate) => {
                fields.push((certificate.status == Status::Active).to_string());
                fields.push(time(certificate.uploaded));
            }
            None => fields.extend(["false".to_owned(), NOTHING.to_owned()]),
        }
    }
    Ok(fields.join(","))
}

fn of_key(tx: &Tx<'_>, key: &AccessKey) -> Result<[String; 5], StoreError> {
    let active = (key.status == AccessKeyStatus::Active).to_string();
    let used = tx.get::<AccessKeyLastUsed>(&AccessKeyLastUsed::key_of(&key.id))?;
    let (date, region, service) = match used {
        Some(used) => (time(used.time), used.region, used.service),
        None => (NOTHING.to_owned(), NOTHING.to_owned(), NOTHING.to_owned()),
    };
    Ok([active, time(key.created), date, region, service])
}

fn no_key() -> [String; 5] {
    ["false", NOTHING, NOTHING, NOTHING, NOTHING].map(str::to_owned)
}

/// As `2026-11-22T02:14:00+00:00`.
fn time(time: Timestamp) -> String {
    time.truncated().to_string().replace('Z', "+00:00")
}

/// A field that may hold a comma, as the names of users may.
fn field(text: &str) -> String {
    if text.contains(',') { format!("\"{text}\"") } else { text.to_owned() }
}
