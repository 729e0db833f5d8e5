//! The server's end of the socket.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use daypass_core::model::AccountId;
use daypass_core::store::records::Account;
use daypass_core::store::{Attribute, AuditQuery, AuditRecord, Order, Read as _};
use daypass_core::{administrator, at_length, outbox};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{UnixListener, UnixStream};

use super::descriptors;
use super::protocol::{InstanceReply, ObjectsReply, Reply, Request, SessionReply, StatusReply};
use super::run::{self, Asked};
use super::{attachments, backup, partners};
use crate::data::socket;
use crate::server::Server;

/// Opens the socket. What a server that was killed left behind is replaced: the directory's lock says that it is gone.
pub(crate) fn listen(directory: &Path) -> Result<std::os::unix::net::UnixListener> {
    let place = socket(directory);
    match std::fs::remove_file(&place) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("`{}` cannot be replaced", place.display()));
        }
        _ => {}
    }
    let listener = std::os::unix::net::UnixListener::bind(&place)
        .with_context(|| format!("`{}` cannot be opened", place.display()))?;
    std::fs::set_permissions(&place, std::fs::Permissions::from_mode(0o600))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Answers commands until it is dropped.
pub(crate) async fn serve(server: Arc<Server>, listener: UnixListener) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let server = Arc::clone(&server);
                tokio::spawn(async move {
                    if let Err(error) = converse(&server, stream).await {
                        tracing::debug!(%error, "a command went away");
                    }
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a command could not be accepted");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        }
    }
}

async fn converse(server: &Server, mut stream: UnixStream) -> Result<()> {
    let peer = stream.peer_cred().context("the peer is unknown")?;
    // The socket's mode keeps others out already; the kernel's word about the peer is the proof.
    let owner = nix::unistd::geteuid().as_raw();
    if peer.uid() != owner && peer.uid() != 0 {
        tracing::warn!(uid = peer.uid(), "a command of another user was refused");
        return answer(&mut stream, &failed("this server belongs to another user")).await;
    }
    let (line, streams) = descriptors::receive(&stream).await?;
    let reply = match serde_json::from_slice(&line) {
        Ok(Request::Session { seconds, account, create }) => {
            session(server, peer.uid(), seconds, account, create).await
        }
        Ok(Request::Status) => status(server).await,
        Ok(Request::Backup) => {
            tracing::info!(uid = peer.uid(), "a backup");
            return backup::hold(server, &mut stream).await;
        }
        Ok(Request::Attach(asked)) => attachments::attach(server, peer.uid(), asked).await,
        Ok(Request::Attachments) => attachments::list(server),
        Ok(Request::Detach { bucket }) => attachments::detach(server, peer.uid(), &bucket).await,
        Ok(Request::Partner(asked)) => partners::answer(server, peer.uid(), asked).await,
        Ok(Request::Why { id }) => why(server, id).await,
        Ok(Request::Exec { instance, arguments, terminal }) => {
            tracing::info!(
                uid = peer.uid(),
                instance,
                program = arguments.first(),
                "a command inside an instance"
            );
            run::run(server, &stream, Asked { instance, arguments, terminal, streams }).await?
        }
        Err(_) => failed("the command is of another version than the server"),
    };
    answer(&mut stream, &reply).await
}

async fn answer(stream: &mut UnixStream, reply: &Reply) -> Result<()> {
    say(stream, reply).await?;
    stream.shutdown().await?;
    Ok(())
}

/// Answers, and more may come.
pub(super) async fn say(stream: &mut UnixStream, reply: &Reply) -> Result<()> {
    let mut line = zeroize::Zeroizing::new(serde_json::to_vec(reply)?);
    line.push(b'\n');
    Ok(stream.write_all(&line).await?)
}

pub(super) fn failed(why: &str) -> Reply {
    Reply::Failed { why: why.to_owned() }
}

async fn session(server: &Server, uid: u32, seconds: i32, account: Option<AccountId>, create: bool) -> Reply {
    let state = server.state();
    let account = account.unwrap_or_else(|| state.account.clone());
    match state.store.read(|tx| tx.get::<Account>(&Account::key_of(&account))) {
        Ok(None) if !create => {
            return failed(&format!(
                "there is no account `{account}` here; `aws organizations list-accounts` lists those of your organization, and `--create` makes one that is in none"
            ));
        }
        Ok(_) => {}
        Err(error) => return failed(&format!("the accounts could not be read: {error}")),
    }
    let name = name_of(uid);
    match administrator::session(state, &account, &name, seconds).await {
        Ok(session) => {
            tracing::info!(uid, session = name, %account, seconds, "gave a session of the administrator");
            Reply::Session(SessionReply {
                endpoint: server.endpoint().to_owned(),
                region: state.region.clone(),
                access_key_id: session.access_key_id,
                secret_access_key: session.secret_access_key.expose().clone(),
                session_token: session.session_token,
                expiration: session.expires.to_string(),
            })
        }
        Err(error) => failed(&format!("no session could be given: {error}")),
    }
}

/// What the audit log tells different people apart by.
pub(super) fn name_of(uid: u32) -> String {
    let name = nix::unistd::User::from_uid(uid.into())
        .ok()
        .flatten()
        .map_or_else(|| format!("uid-{uid}"), |u| u.name);
    let name: String =
        name.chars().filter(|c| c.is_ascii_alphanumeric() || "+=,.@-_".contains(*c)).take(64).collect();
    if name.len() < 2 { format!("uid-{uid}") } else { name }
}

/// So many records are looked through for the last denial.
const LOOKED_THROUGH: usize = 1000;

async fn why(server: &Server, id: Option<String>) -> Reply {
    match find_record(server, id.as_deref()).await {
        Ok(Some(record)) => {
            let event = serde_json::from_str(&record.event);
            let explanation = record.explanation.as_deref().map(serde_json::from_str).transpose();
            match (event, explanation) {
                (Ok(event), Ok(explanation)) => Reply::Why { event, explanation },
                _ => failed("the record of that request does not read"),
            }
        }
        Ok(None) if id.is_some() => failed("no request of that id is in the audit log"),
        Ok(None) => failed("no request was denied lately; name one by its id"),
        Err(error) => failed(&format!("the audit log could not be read: {error:#}")),
    }
}

async fn find_record(server: &Server, id: Option<&str>) -> Result<Option<AuditRecord>> {
    let state = server.state();
    outbox::drain(state).await?;
    let find = |attribute, limit| {
        let query = AuditQuery { attribute, limit, order: Order::LastWritten, ..AuditQuery::default() };
        at_length(|| state.store.audit(&query))
    };
    let Some(id) = id else {
        return Ok(find(None, LOOKED_THROUGH)?.into_iter().find(is_denial));
    };
    let by_request = find(Some(Attribute::RequestId(id.to_owned())), 1)?.pop();
    Ok(match by_request {
        Some(record) => Some(record),
        None => find(Some(Attribute::EventId(id.to_owned())), 1)?.pop(),
    })
}

fn is_denial(record: &AuditRecord) -> bool {
    let explanation = record.explanation.as_deref().map(serde_json::from_str::<serde_json::Value>);
    explanation
        .and_then(Result::ok)
        .is_some_and(|told| told.get("decision").is_some_and(|decision| decision != "allowed"))
}

async fn objects(server: &Server) -> Result<ObjectsReply, daypass_core::objects::Error> {
    let health = server.state().objects.health().await?;
    Ok(ObjectsReply {
        read_only: health.read_only,
        free_bytes: health.free_bytes,
        used_bytes: health.used_bytes,
        live_bytes: health.live_bytes,
        scrubs: health.scrubs,
        damaged: health.damaged,
    })
}

async fn status(server: &Server) -> Reply {
    let state = server.state();
    let instances = match server.instances() {
        Ok(instances) => instances,
        Err(error) => return failed(&format!("the instances could not be read: {error}")),
    };
    let objects = match objects(server).await {
        Ok(objects) => objects,
        Err(error) => return failed(&format!("the objects could not be looked at: {error}")),
    };
    let events = match daypass_core::event_queue::event_queues(state) {
        Ok(events) => events,
        Err(error) => return failed(&format!("the events could not be looked at: {error}")),
    };
    Reply::Status(StatusReply {
        state_is_read_only: state.store.is_read_only(),
        objects,
        events,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        process: std::process::id(),
        uptime_seconds: server.uptime_seconds(),
        endpoint: server.endpoint().to_owned(),
        account: state.account.to_string(),
        region: state.region.clone(),
        instances_unavailable: server.instances_unavailable(),
        instances: instances
            .into_iter()
            .map(|i| InstanceReply {
                state: serde_json::to_value(i.state)
                    .ok()
                    .and_then(|v| v.as_str().map(str::to_owned))
                    .unwrap_or_default(),
                private_ip: i.network.private_ip.to_string(),
                profile: i.profile.map(|p| p.profile_name).unwrap_or_default(),
                id: i.id,
                instance_type: i.instance_type,
            })
            .collect(),
    })
}
