//! The program: command line, configuration, sockets, TLS, wiring and background work.

fn main() {}
