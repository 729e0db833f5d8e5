//! `daypass bucket`.

use std::fs;
use std::io::Read as _;

use anyhow::{Context as _, Result, bail};
use daypass_s3::Attached;
use zeroize::Zeroizing;

use crate::admin::client;
use crate::admin::protocol::{AttachRequest, Reply, Request};
use crate::cli::{BucketAttach, BucketCommand, BucketDetach, BucketList, Output};
use crate::data;

/// The longest secret, in bytes.
const MAX_SECRET: u64 = 1024;
/// The longest file of authorities.
const MAX_AUTHORITIES: u64 = 512 << 10;

pub(crate) fn run(command: BucketCommand) -> Result<()> {
    match command {
        BucketCommand::Attach(attach) => run_attach(*attach),
        BucketCommand::List(list) => run_list(list),
        BucketCommand::Detach(detach) => run_detach(detach),
    }
}

fn run_attach(arguments: BucketAttach) -> Result<()> {
    let directory = data::directory(arguments.data.directory.clone())?;
    let authorities = match &arguments.ca_file {
        None => None,
        Some(file) => {
            let open = fs::File::open(file).with_context(|| format!("`{}`", file.display()))?;
            let mut text = String::new();
            open.take(MAX_AUTHORITIES + 1)
                .read_to_string(&mut text)
                .with_context(|| format!("`{}`", file.display()))?;
            if text.len() as u64 > MAX_AUTHORITIES {
                bail!("`{}` has more than {MAX_AUTHORITIES} bytes", file.display());
            }
            Some(text)
        }
    };
    let request = AttachRequest {
        secret: secret(&arguments)?,
        bucket: arguments.name,
        endpoint: arguments.endpoint,
        region: arguments.region,
        there: arguments.bucket,
        prefix: arguments.prefix,
        access_key_id: arguments.access_key_id,
        authorities,
        plain: arguments.plain_http,
        vouched: arguments.encrypted_at_rest,
    };
    let Reply::Attached { buckets } = client::ask(&directory, &Request::Attach(request))? else {
        return client::unexpected();
    };
    show(&buckets, arguments.output)
}

/// The secret: never an argument, which everybody on this machine could read.
#[expect(clippy::disallowed_methods, reason = "one of the places where the secret may be")]
fn secret(arguments: &BucketAttach) -> Result<String> {
    let read = |from: &mut dyn std::io::Read| -> Result<Zeroizing<String>> {
        let mut text = Zeroizing::new(String::new());
        from.take(MAX_SECRET + 1).read_to_string(&mut text)?;
        if text.len() as u64 > MAX_SECRET {
            bail!("a secret has at most {MAX_SECRET} bytes");
        }
        Ok(text)
    };
    let text = match (&arguments.secret_file, std::env::var("DAYPASS_UPSTREAM_SECRET")) {
        (Some(file), _) => {
            let mut open = fs::File::open(file).with_context(|| format!("`{}`", file.display()))?;
            read(&mut open).with_context(|| format!("`{}`", file.display()))?
        }
        (None, Ok(secret)) => Zeroizing::new(secret),
        (None, Err(_)) => {
            if std::io::IsTerminal::is_terminal(&std::io::stdin()) {
                crate::complain("type the secret, then Enter and Ctrl-D");
            }
            read(&mut std::io::stdin().lock()).context("the standard input")?
        }
    };
    let secret = text.trim();
    if secret.is_empty() {
        bail!("there is no secret: give DAYPASS_UPSTREAM_SECRET, --secret-file or the standard input");
    }
    Ok(secret.to_owned())
}

fn run_list(arguments: BucketList) -> Result<()> {
    let directory = data::directory(arguments.data.directory)?;
    let Reply::Attached { buckets } = client::ask(&directory, &Request::Attachments)? else {
        return client::unexpected();
    };
    show(&buckets, arguments.output)
}

fn run_detach(arguments: BucketDetach) -> Result<()> {
    let directory = data::directory(arguments.data.directory)?;
    let Reply::Attached { .. } = client::ask(&directory, &Request::Detach { bucket: arguments.name })? else {
        return client::unexpected();
    };
    Ok(())
}

fn show(buckets: &[Attached], output: Output) -> Result<()> {
    if matches!(output, Output::Json) {
        crate::say(&serde_json::to_string_pretty(buckets)?);
        return Ok(());
    }
    for bucket in buckets {
        crate::say(&format!("{} -> {}/{}/{}", bucket.bucket, bucket.endpoint, bucket.there, bucket.prefix));
        crate::say(&format!("  key {} ({}), since {}", bucket.access_key_id, bucket.region, bucket.since));
        let named = |has: bool| {
            let names = bucket.capabilities.iter().filter(|(_, there)| *there == has).map(|(name, _)| name);
            names.collect::<Vec<_>>().join(", ")
        };
        let or_nothing = |names: String| if names.is_empty() { "nothing".to_owned() } else { names };
        crate::say(&format!("  can      {}", or_nothing(named(true))));
        crate::say(&format!("  refused  {}", or_nothing(named(false))));
        if bucket.vouched {
            crate::say("  that it encrypts what it keeps is the operator's word");
        }
    }
    Ok(())
}
