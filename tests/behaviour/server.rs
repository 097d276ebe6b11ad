//! Groups served over HTTP, by programs that listen on real sockets.
#![allow(clippy::duplicate_mod, reason = "one suite, two backends")]

mod document;
mod on_postgres;
mod on_sqlite;
mod program;
mod recorder;
