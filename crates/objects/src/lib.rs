//! The bytes of S3 objects: crash-safe, with versions and parts, engines behind one trait
