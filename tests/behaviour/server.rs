//! Groups served over HTTP, by programs that listen on real sockets.

mod on_postgres;
mod on_sqlite;
mod program;
