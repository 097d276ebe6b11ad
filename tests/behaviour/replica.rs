//! Replicas: a device's copy of a group in an SQLite file.

mod device;
mod models;
mod outbox;
mod recorder;
