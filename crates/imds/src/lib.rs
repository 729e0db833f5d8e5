//! The instance metadata service
