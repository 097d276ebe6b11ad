//! The behaviour of the library on real databases.

mod tracking_sqlite;
