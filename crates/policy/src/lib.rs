//! AWS's policy language: parse, check, compile and decide, with reasons
