//! The house's own tools: `codegen` writes the API tables, `deps` holds the crates to their places.

fn main() {}
