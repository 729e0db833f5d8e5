//! Whether instances can run on this machine: what starts them says so, and a launch is refused before anything is
//! recorded where it cannot be carried out.

use std::sync::{PoisonError, RwLock};

/// Whether instances can run, and if not, why.
pub struct InstanceSupport(RwLock<Result<(), String>>);

impl InstanceSupport {
    /// Instances cannot run, for a reason in our own words.
    #[must_use]
    pub fn unavailable(reason: impl Into<String>) -> Self {
        Self(RwLock::new(Err(reason.into())))
    }

    /// Instances can run.
    #[must_use]
    pub fn available() -> Self {
        Self(RwLock::new(Ok(())))
    }

    /// Says that it has changed: a driver is there now, or is gone.
    pub fn set(&self, support: Result<(), String>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = support;
    }

    /// Nothing, or why instances cannot run.
    ///
    /// # Errors
    /// The reason.
    pub fn check(&self) -> Result<(), String> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
