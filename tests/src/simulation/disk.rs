//! A device's disk without room: SQLite says so, and has rolled everything back by itself, whenever something is written in one of the tables.

use super::models::{ALL, Table};
use fastrand::Rng;

/// What SQLite says.
pub(super) const FULL: &str = "database or disk is full";

/// There is room again.
pub(super) const ROOM: &str = "drop trigger if exists full";

/// Tables of the library's own.
const OWN: [&str; 4] = [
    "carburetor_group",
    "carburetor_stage",
    "carburetor_sending",
    "carburetor_rejected",
];

/// There is no room for a kind of write in one table: of the program's, or of the library's.
pub(super) fn full(rng: &mut Rng) -> String {
    let kind = ["insert", "update", "delete"][rng.usize(0..3)];
    let table = match rng.u8(0..3) {
        0 => OWN[rng.usize(0..OWN.len())].to_owned(),
        of => {
            let Table { name, .. } = &ALL[rng.usize(0..ALL.len())];
            match of {
                1 => (*name).to_owned(),
                _ => format!("carburetor_outbox_{name}"),
            }
        }
    };
    format!(
        "create trigger full before {kind} on {table} begin select raise(rollback, '{FULL}'); end"
    )
}
