//! Durable state: serializable transactions over typed records, a watch, and the audit log
