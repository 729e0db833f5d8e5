//! SigV4, tried through its public face.

#![expect(clippy::string_slice, reason = "texts of a test are ASCII")]

#[cfg(test)]
mod answers;
mod asymmetric;
#[cfg(test)]
mod bodies;
#[cfg(test)]
mod botocore;
#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod presigned_v2;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod streams;
#[cfg(test)]
mod suite;
#[cfg(test)]
mod support;
