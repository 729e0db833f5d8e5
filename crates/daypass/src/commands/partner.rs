//! `daypass partner`.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use daypass_core::delegation::partner::ShownPartner;

use crate::admin::client;
use crate::admin::protocol::{BoundaryRequest, PartnerRequest, Reply, Request};
use crate::cli::{Data, Output, PartnerCommand, PartnerTemplate, TemplateAdd};
use crate::data;

/// The longest file that is read: longer than any template or boundary.
const MAX_FILE: u64 = 64 << 10;

pub(crate) fn run(command: PartnerCommand) -> Result<()> {
    match command {
        PartnerCommand::Add(add) => {
            let (account, name, domain) = (add.account, add.name, add.domain);
            show(&ask(add.data, PartnerRequest::Add { account, name, domain })?, add.output)
        }
        PartnerCommand::List(list) => show(&ask(list.data, PartnerRequest::List)?, list.output),
        PartnerCommand::Remove(remove) => {
            ask(remove.data, PartnerRequest::Remove { account: remove.account }).map(|_| ())
        }
        PartnerCommand::Template(PartnerTemplate::Add(add)) => add_template(add),
        PartnerCommand::Template(PartnerTemplate::Remove(remove)) => {
            let (account, name) = (remove.account, remove.name);
            ask(remove.data, PartnerRequest::RemoveTemplate { account, name }).map(|_| ())
        }
    }
}

fn ask(data: Data, request: PartnerRequest) -> Result<Vec<ShownPartner>> {
    let directory = data::directory(data.directory)?;
    let Reply::Partners { partners } = client::ask(&directory, &Request::Partner(request))? else {
        return client::unexpected();
    };
    Ok(partners)
}

fn add_template(add: TemplateAdd) -> Result<()> {
    let boundaries = add.boundary.iter().map(|text| match text.split_once('=') {
        Some((name, file)) => {
            Ok(BoundaryRequest::New { name: name.to_owned(), document: read(Path::new(file))? })
        }
        None if text.starts_with("arn:") => Ok(BoundaryRequest::Known { arn: text.clone() }),
        None => bail!("`--boundary {text}` is neither NAME=FILE nor an ARN"),
    });
    let request = PartnerRequest::AddTemplate {
        account: add.account,
        name: add.name,
        document: read(&add.file)?,
        boundaries: boundaries.collect::<Result<_>>()?,
    };
    show(&ask(add.data, request)?, add.output)
}

fn read(file: &Path) -> Result<String> {
    let named = || format!("`{}`", file.display());
    let mut text = String::new();
    fs::File::open(file)
        .and_then(|open| open.take(MAX_FILE + 1).read_to_string(&mut text))
        .with_context(named)?;
    if text.len() as u64 > MAX_FILE {
        bail!("{} has more than {MAX_FILE} bytes", named());
    }
    Ok(text)
}

fn show(partners: &[ShownPartner], output: Output) -> Result<()> {
    if matches!(output, Output::Json) {
        crate::say(&serde_json::to_string_pretty(partners)?);
        return Ok(());
    }
    for partner in partners {
        let ShownPartner { account, name, domain, since, .. } = partner;
        crate::say(&format!("{account} {name} ({domain}), since {since}"));
        for template in &partner.templates {
            crate::say(&format!("  template {}", template.arn));
            if !template.parameters.is_empty() {
                crate::say(&format!("    parameters {}", template.parameters.join(", ")));
            }
            for boundary in &template.boundaries {
                crate::say(&format!("    boundary {boundary}"));
            }
        }
        for boundary in &partner.boundaries {
            crate::say(&format!("  boundary {boundary}"));
        }
    }
    Ok(())
}
