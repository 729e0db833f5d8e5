//! AWS's protocols and SigV4, both directions, as functions of bytes

pub mod sigv4;
