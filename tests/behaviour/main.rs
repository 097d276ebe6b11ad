//! The behaviour of the library on real databases.

mod adventureworks;
mod clock;
mod cutoff;
mod derive;
mod download;
mod infrastructure;
mod pagila;
mod processes;
mod protocol;
mod replica;
mod server;
mod simulation;
mod tracking;
mod tracking_postgres;
mod tracking_sqlite;
mod upload;
mod wire_changes;
mod wire_rust;
mod wire_values;
