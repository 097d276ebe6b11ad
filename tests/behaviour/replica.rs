//! Replicas: a device's copy of a group in an SQLite file.
#![allow(
    clippy::duplicate_mod,
    reason = "the suite is the same text on every backend"
)]

mod ahead;
mod checks;
mod device;
mod downloads;
mod evolving;
mod family;
mod faulty;
mod http_errors;
mod http_feed;
mod links;
mod messages;
mod models;
mod on_postgres;
mod on_sqlite;
mod outbox;
mod recorder;
mod redirects;
mod refusing;
mod retries;
mod script;
mod sending;
mod stale;
mod unreadable;
