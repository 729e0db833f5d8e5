//! `daypass status`.

use anyhow::Result;

use crate::admin::client;
use crate::admin::protocol::{ObjectsReply, Reply, Request};
use crate::cli::{Output, Status};

pub(crate) fn run(arguments: Status) -> Result<()> {
    let directory = crate::data::directory(arguments.data.directory)?;
    let Reply::Status(status) = client::ask(&directory, &Request::Status)? else {
        return client::unexpected();
    };
    if matches!(arguments.output, Output::Json) {
        crate::say(&serde_json::to_string_pretty(&status)?);
        return Ok(());
    }
    crate::say(&format!(
        "daypass {} (process {}), up for {}",
        status.version,
        status.process,
        span(status.uptime_seconds)
    ));
    crate::say(&format!("endpoint   {}", status.endpoint));
    crate::say(&format!("account    {}", status.account));
    crate::say(&format!("region     {}", status.region));
    crate::say(&format!("data       {}", directory.display()));
    if status.state_is_read_only {
        crate::say(
            "state      read-only until the next start: a write or a sync of it failed, as the server's log says",
        );
    }
    for queue in &status.events {
        crate::say(&format!(
            "events     {}: {} wait, {} were let go",
            queue.destination, queue.waiting, queue.dropped
        ));
    }
    objects(&status.objects).iter().for_each(|line| crate::say(line));
    crate::say(&match &status.instances_unavailable {
        None => {
            format!("instances  {} running", status.instances.iter().filter(|i| i.state == "running").count())
        }
        Some(why) => format!("instances  not available: {why}"),
    });
    for instance in &status.instances {
        crate::say(&format!(
            "  {}  {:<13} {:<12} {:<15} {}",
            instance.id, instance.state, instance.instance_type, instance.private_ip, instance.profile
        ));
    }
    Ok(())
}

/// How the objects are, line by line.
fn objects(objects: &ObjectsReply) -> Vec<String> {
    let mut lines = vec![format!(
        "objects    {} MiB used, {} MiB of them needed, {} MiB free; read and checked {} times",
        objects.used_bytes >> 20,
        objects.live_bytes >> 20,
        objects.free_bytes >> 20,
        objects.scrubs
    )];
    lines.extend(objects.read_only.iter().map(|why| format!("  read-only until the next start: {why}")));
    lines.extend(objects.damaged.iter().map(|what| format!("  damaged: {what}")));
    lines
}

/// `3h 12m`, for people.
fn span(seconds: u64) -> String {
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s}s"),
        (0, m, s) => format!("{m}m {s}s"),
        (h, m, _) => format!("{h}h {m}m"),
    }
}
