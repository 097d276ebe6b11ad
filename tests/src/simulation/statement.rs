//! One statement of a program, or of whoever writes on the server by SQL.

use super::models::{ALL, TEAMS, Table};
use super::rows::Key;
use super::triggers::AWAY;
use super::words::ODD;
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

/// What is odd now and then about a statement.
#[derive(Debug, Clone, Copy)]
pub(super) struct Odd {
    /// Triggers of the server interfere.
    pub(super) triggers: bool,
    /// No model can read a value.
    pub(super) values: bool,
}

/// How a database says REPLACE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Sqlite,
    Postgres,
}

impl Statement {
    /// All of them, one after the other.
    pub(super) fn all(statements: Vec<Self>) -> Self {
        let sql: Vec<String> = statements.into_iter().map(|one| one.sql).collect();
        Statement {
            sql: sql.join(";\n"),
            replaces: None,
        }
    }

    /// Anything that somebody may do who sees rows of `teams`. `word` is nobody else's.
    pub(super) fn any(
        rng: &mut Rng,
        dialect: Dialect,
        teams: &[String],
        (word, odd): (&str, Odd),
    ) -> Self {
        let table = &ALL[rng.usize(0..ALL.len())];
        let is_odd = odd.triggers && table.name == "pads" && rng.u8(0..6) == 0;
        let mut id = rng.u32(0..IDS).to_string();
        let mut values = values(rng, table, teams, word);
        if is_odd {
            match rng.bool() {
                true => id = format!("K{}", rng.u8(0..3)),
                false => values[1] = format!("'{AWAY} {word}'"),
            }
        }
        if odd.values && table.name == "remarks" && rng.bool() {
            values[2] = format!("'{ODD} {word}'");
        }
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
                // What is kept away replaces nothing.
                let is_away = values.get(1).is_some_and(|value| value.contains(AWAY));
                replaces = (!is_away).then(|| (name, id.clone()));
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

/// What belongs together: a task and the remarks on it, as somebody writes them in one transaction who sees rows of `teams`.
pub(super) fn family(rng: &mut Rng, teams: &[String], word: &str) -> Vec<Statement> {
    let task = rng.u32(0..IDS);
    let other = (task + rng.u32(1..IDS)) % IDS;
    let kind = rng.u8(0..4);
    let mut new = |table: &str, id: u32, of: Option<u32>| {
        let table = Table::of(table);
        let mut values = values(rng, table, teams, word);
        if let Some(of) = of {
            values[1] = format!("'{of}'");
        }
        format!(
            "insert into {} (id, {}) values ('{id}', {}) on conflict do nothing",
            table.name,
            table.columns.join(", "),
            values.join(", ")
        )
    };
    let moves = format!("update remarks set task = '{other}' where task = '{task}'");
    let goes = format!("delete from tasks where id = '{task}'");
    let statements = match kind {
        0 => vec![
            new("tasks", task, None),
            new("remarks", task, Some(task)),
            new("remarks", other, Some(task)),
        ],
        1 => vec![format!("delete from remarks where task = '{task}'"), goes],
        2 => vec![moves, goes],
        _ => vec![
            format!(
                "update tasks set id = '{other}' where id = '{task}' and not exists (select 1 from tasks where id = '{other}')"
            ),
            moves,
        ],
    };
    let plain = |sql| Statement {
        sql,
        replaces: None,
    };
    statements.into_iter().map(plain).collect()
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
        "list" | "task" => format!("'{}'", rng.u32(0..IDS)),
        // Below zero the server refuses.
        "points" => format!("{}", rng.i32(-1..20)),
        // Few titles, so that some are taken.
        "title" if rng.bool() => format!("'title {}'", rng.u8(0..12)),
        "note" if rng.u8(0..4) == 0 => "null".to_owned(),
        _ => format!("'{word}'"),
    };
    table.columns.iter().map(|column| value(column)).collect()
}
