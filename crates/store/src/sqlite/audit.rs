//! The audit log's tables.

use daypass_model::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params_from_iter};

use crate::{Attribute, AuditQuery, AuditRecord, Order};

pub(super) fn insert(connection: &Connection, record: &AuditRecord) -> rusqlite::Result<()> {
    let inserted = connection
        .prepare_cached(
            "INSERT OR IGNORE INTO audit (event_id, request_id, time, account, region, event_name, event_source,
             username, access_key_id, read_only, management, event, explanation)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        )?
        .execute(rusqlite::params![
            record.event_id,
            record.request_id,
            record.time.millis(),
            record.account,
            record.region,
            record.event_name,
            record.event_source,
            record.username,
            record.access_key_id,
            record.read_only,
            record.management,
            record.event,
            record.explanation,
        ])?;
    // A record that is there already was drained twice from where it waited; it counts once. Nobody asks for data events by
    // what they are about (CloudTrail API reference, LookupEvents: management events), and there are many.
    if inserted == 1 && record.management {
        let sequence = connection.last_insert_rowid();
        for (kind, name) in &record.resources {
            connection
                .prepare_cached(
                    "INSERT OR IGNORE INTO audit_resource (name, type, sequence) VALUES (?1, ?2, ?3)",
                )?
                .execute((name, kind, sequence))?;
        }
    }
    Ok(())
}

/// So many records are removed at once.
const FORGOTTEN_AT_ONCE: u32 = 5000;

/// Removes the oldest records of an account, from before a time.
pub(super) fn forget(connection: &Connection, account: &str, before: Timestamp) -> rusqlite::Result<()> {
    let mut oldest = connection
        .prepare_cached("SELECT sequence FROM audit WHERE account=?1 AND time<?2 ORDER BY time LIMIT ?3")?;
    let oldest: Vec<u64> = oldest
        .query_map((account, before.millis(), FORGOTTEN_AT_ONCE), |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for sequence in oldest {
        connection.prepare_cached("DELETE FROM audit_resource WHERE sequence=?1")?.execute([sequence])?;
        connection.prepare_cached("DELETE FROM audit WHERE sequence=?1")?.execute([sequence])?;
    }
    Ok(())
}

/// The `WHERE` of a query, and what it compares with.
#[derive(Default)]
struct Filter {
    terms: Vec<String>,
    values: Vec<Value>,
}

impl Filter {
    fn add(&mut self, term: &str, value: impl Into<Value>) {
        self.values.push(value.into());
        self.terms.push(term.replace('?', &format!("?{}", self.values.len())));
    }
}

pub(super) fn select(connection: &Connection, query: &AuditQuery) -> rusqlite::Result<Vec<AuditRecord>> {
    let mut filter = Filter::default();
    if let Some(account) = &query.account {
        filter.add("account=?", account.clone());
    }
    if let Some(region) = &query.region {
        filter.add("region=?", region.clone());
    }
    if let Some(from) = query.from {
        filter.add("time>=?", from.millis());
    }
    if let Some(until) = query.until {
        filter.add("time<=?", until.millis());
    }
    if query.management_only {
        filter.terms.push("management".to_owned());
    }
    match &query.attribute {
        None => {}
        Some(Attribute::EventId(id)) => filter.add("event_id=?", id.clone()),
        Some(Attribute::EventName(name)) => filter.add("event_name=?", name.clone()),
        Some(Attribute::EventSource(source)) => filter.add("event_source=?", source.clone()),
        Some(Attribute::Username(name)) => filter.add("username=?", name.clone()),
        Some(Attribute::AccessKeyId(id)) => filter.add("access_key_id=?", id.clone()),
        Some(Attribute::ReadOnly(flag)) => filter.add("read_only=?", i64::from(*flag)),
        Some(Attribute::RequestId(id)) => filter.add("request_id=?", id.clone()),
        Some(Attribute::ResourceType(kind)) => {
            let term = "EXISTS (SELECT 1 FROM audit_resource r WHERE r.sequence=audit.sequence AND r.type=?)";
            filter.add(term, kind.clone());
        }
        Some(Attribute::ResourceName(name)) => {
            filter.add("sequence IN (SELECT sequence FROM audit_resource WHERE name=?)", name.clone());
        }
    }
    let (than, direction) = if query.order == Order::OldestFirst { (">", "ASC") } else { ("<", "DESC") };
    if let Some((time, sequence)) = query.beyond {
        filter.values.push(time.millis().into());
        filter.values.push(i64::try_from(sequence).unwrap_or(i64::MAX).into());
        let last = filter.values.len();
        filter.terms.push(format!("(time, sequence){than}(?{}, ?{last})", last - 1));
    }
    let condition = if filter.terms.is_empty() { "TRUE".to_owned() } else { filter.terms.join(" AND ") };
    filter.values.push(i64::try_from(query.limit).unwrap_or(i64::MAX).into());
    let order = match query.order {
        Order::LastWritten => "sequence DESC".to_owned(),
        Order::NewestFirst | Order::OldestFirst => format!("time {direction}, sequence {direction}"),
    };
    let sql = format!(
        "SELECT sequence, event_id, request_id, time, account, region, event_name, event_source, username,
         access_key_id, read_only, management, event, explanation FROM audit
         WHERE {condition} ORDER BY {order} LIMIT ?{}",
        filter.values.len()
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let records = statement.query_map(params_from_iter(filter.values), record)?;
    records.map(|r| with_resources(connection, r?)).collect()
}

fn record(row: &Row<'_>) -> rusqlite::Result<AuditRecord> {
    Ok(AuditRecord {
        sequence: row.get(0)?,
        event_id: row.get(1)?,
        request_id: row.get(2)?,
        time: Timestamp::from_millis(row.get(3)?),
        account: row.get(4)?,
        region: row.get(5)?,
        event_name: row.get(6)?,
        event_source: row.get(7)?,
        username: row.get(8)?,
        access_key_id: row.get(9)?,
        read_only: row.get(10)?,
        management: row.get(11)?,
        event: row.get(12)?,
        explanation: row.get(13)?,
        resources: vec![],
    })
}

fn with_resources(connection: &Connection, mut record: AuditRecord) -> rusqlite::Result<AuditRecord> {
    let mut statement = connection
        .prepare_cached("SELECT type, name FROM audit_resource WHERE sequence=?1 ORDER BY type, name")?;
    let resources = statement.query_map([record.sequence], |r| Ok((r.get(0)?, r.get(1)?)))?;
    record.resources = resources.collect::<Result<_, _>>()?;
    Ok(record)
}
