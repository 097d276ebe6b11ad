//! One statement of a program, or of whoever writes on the server by SQL.

use super::models::{ALL, TEAMS, Table};
use super::rows::Key;
use fastrand::Rng;

/// Ids are few, so that devices meet in them.
const IDS: u32 = 8;

/// What is written.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) sql: String,
    /// The row of this id is another one afterwards, even if one was there before.
    pub(super) replaces: Option<Key>,
}

/// How a database says REPLACE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Sqlite,
    Postgres,
}

impl Statement {
    /// Anything that somebody may do who sees rows of `teams`. `word` is nobody else's.
    pub(super) fn any(rng: &mut Rng, dialect: Dialect, teams: &[String], word: &str) -> Self {
        let table = &ALL[rng.usize(0..ALL.len())];
        let id = rng.u32(0..IDS).to_string();
        let values = values(rng, table, teams, word);
        let columns: Vec<String> = table
            .columns
            .iter()
            .map(|column| format!("\"{column}\""))
            .collect();
        let name = table.name;
        let new = format!(
            "into {name} (id, {}) values ('{id}', {})",
            columns.join(", "),
            values.join(", ")
        );
        let mut replaces = None;
        let sql = match rng.u8(0..10) {
            0..=3 => format!("insert {new} on conflict do nothing"),
            4 => {
                replaces = Some((name, id.clone()));
                match dialect {
                    Dialect::Sqlite => format!("insert or replace {new}"),
                    Dialect::Postgres => {
                        format!("delete from {name} where id = '{id}'; insert {new}")
                    }
                }
            }
            5 => format!("delete from {name} where id = '{id}'"),
            _ => {
                // The team, which is the first column, moves seldom.
                let first = usize::from(rng.u8(0..6) > 0);
                let column = rng.usize(first..values.len());
                format!(
                    "update {name} set {} = {} where id = '{id}'",
                    columns[column], values[column]
                )
            }
        };
        Statement { sql, replaces }
    }
}

fn values(rng: &mut Rng, table: &Table, teams: &[String], word: &str) -> Vec<String> {
    let team = match teams.len() {
        0 => TEAMS[0].to_owned(),
        // Now and then into a team that is not its own.
        _ if rng.u8(0..16) == 0 => TEAMS[rng.usize(0..TEAMS.len())].to_owned(),
        some => teams[rng.usize(0..some)].clone(),
    };
    let mut value = |column: &str| match column {
        "team" => format!("'{team}'"),
        "list" => format!("'{}'", rng.u32(0..IDS)),
        // Below zero the server refuses.
        "points" => format!("{}", rng.i32(-1..20)),
        // Few titles, so that some are taken.
        "title" if rng.bool() => format!("'title {}'", rng.u8(0..12)),
        "note" if rng.u8(0..4) == 0 => "null".to_owned(),
        _ => format!("'{word}'"),
    };
    table.columns.iter().map(|column| value(column)).collect()
}
