//! What is outside of a server in a test.

/// Where events can be delivered in every test.
pub const DESTINATIONS: [&str; 4] = [
    "arn:aws:sqs:us-east-1:123456789012:queue",
    "arn:aws:sns:us-east-1:123456789012:topic",
    "arn:aws:lambda:us-east-1:123456789012:function:work",
    "arn:aws:events:us-east-1:123456789012:event-bus/default",
];
