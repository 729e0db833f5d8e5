//! AWS CloudTrail
