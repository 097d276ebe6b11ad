//! The behaviour of the library on real databases.

mod infrastructure;
mod tracking_postgres;
