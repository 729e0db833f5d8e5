//! Amazon S3
