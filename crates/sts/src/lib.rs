//! AWS Security Token Service
