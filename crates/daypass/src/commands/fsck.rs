//! `daypass fsck`.

use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::cli::{Fsck, Output};
use crate::copy::Shown;
use crate::data;
use crate::fsck::{self, Finding, Report};

/// Something was found.
const FOUND: u8 = 1;
/// It could not be looked at.
const FAILED: u8 = 2;

pub(crate) fn run(arguments: Fsck) -> ExitCode {
    match look(arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => FOUND.into(),
        Err(error) => {
            crate::complain(&format!("{error:#}"));
            FAILED.into()
        }
    }
}

fn look(arguments: Fsck) -> Result<bool> {
    let directory = data::directory(arguments.data.directory)?;
    if !fsck::is_ours(&directory)? {
        bail!("`{}` belongs to another user: run this as its owner", directory.display());
    }
    let _lock = data::lock_to_look(&directory)?;
    let mut shown = Shown::new("reading objects:", 0);
    let report =
        fsck::look(&directory, !arguments.quick, &mut |progress| shown.set(progress.done, progress.of))?;
    match arguments.output {
        Output::Json => crate::say(&serde_json::to_string_pretty(&report)?),
        Output::Text => told(&report, arguments.quick).iter().for_each(|line| crate::say(line)),
    }
    Ok(report.sound)
}

/// The report for people, line by line.
fn told(report: &Report, quick: bool) -> Vec<String> {
    let mut lines: Vec<String> = report.findings.iter().flat_map(finding).collect();
    let seen = &report.looked_at;
    lines.push(format!(
        "looked at {} records, {} audit records, {} versions of objects{}",
        seen.records,
        seen.audit_records,
        seen.versions,
        if quick { String::new() } else { format!(" and {} bytes of them", seen.object_bytes) }
    ));
    lines.push(match report.findings.len() {
        0 => "nothing is wrong".to_owned(),
        1 => "1 finding".to_owned(),
        count => format!("{count} findings"),
    });
    lines
}

fn finding(finding: &Finding) -> Vec<String> {
    let kind = serde_json::to_value(finding.kind).ok();
    let kind = kind.as_ref().and_then(|kind| kind.as_str()).unwrap_or_default();
    let mut lines = vec![format!("{kind}: {}", finding.what)];
    for object in &finding.objects {
        lines.push(format!(
            "  hurts    s3://{}/{} (version {})",
            object.bucket, object.key, object.version_id
        ));
    }
    lines.push(format!("  to do    {}", finding.advice));
    lines
}
