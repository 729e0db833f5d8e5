//! The AWS APIs as data: static shape tables of every operation, and typed structs of what Daypass implements
