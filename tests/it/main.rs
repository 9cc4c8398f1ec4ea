//! Tests that talk to the program from outside.

mod server;
