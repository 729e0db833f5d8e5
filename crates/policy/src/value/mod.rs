//! The kinds of value that condition operators compare: numbers, points in time, address ranges, bytes.

pub(crate) mod base64;
mod decimal;
mod network;
mod timestamp;

pub(crate) use decimal::Decimal;
pub(crate) use network::{Network, canonical};
pub use timestamp::Timestamp;
pub(crate) use timestamp::storable_date;
