//! The store from outside: the suite that every engine passes, a model that it is compared with, and what a disk can do.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests say what they expect"
)]

mod collection;
mod damage;
mod directory;
mod faults;
mod full_disk;
mod given;
mod inspection;
mod model;
mod random;
mod sealed;
mod suite;
mod support;
