//! Every operation of the service through the whole gate: what it answers, what it refuses in AWS's words, and what
//! nobody may get by it.

mod refusals;
