//! One request through the gate: authenticate, authorise, handle, audit
