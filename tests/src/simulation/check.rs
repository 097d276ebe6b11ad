//! What must hold: all along, and at the end when the network is whole and nobody writes.

use super::device::Device;
use super::models::{ALL, Member, Table};
use super::server::Server;
use carburetor::change::{Change, Edit};
use carburetor::clock::Clock;
use carburetor::outcome::Verdict;
use chrono::{DateTime, Utc};
use diesel::QueryableByName;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use diesel::sqlite::SqliteConnection;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The rows of a message that belong to others than `member`.
pub(super) fn foreign(line: &[u8], member: &Member) -> Vec<String> {
    let message: Value = serde_json::from_slice(line).expect("a server's message is JSON");
    let tables = message["tables"].as_object().expect("it has tables");
    let mut found = Vec::new();
    for (name, table) in tables {
        for row in table["rows"].as_array().expect("a table has rows") {
            let team = row["team"].as_str().unwrap_or_default();
            if !member.teams.iter().any(|own| own == team) {
                found.push(format!("{name}: {:?} was sent {row}", member.teams));
            }
        }
    }
    found
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Text)]
    content: String,
    #[diesel(sql_type = Nullable<Text>)]
    extra: Option<String>,
}

fn lines(conn: &mut SqliteConnection, table: &Table, extra: &str, condition: &str) -> Vec<Line> {
    let pairs: Vec<String> = table
        .columns
        .iter()
        .chain(&["at"])
        .map(|column| format!("'{column}', {column}"))
        .collect();
    let sql = format!(
        "select id, json_object({}) as content, {extra} as extra from {} where {condition} order by id",
        pairs.join(", "),
        table.name
    );
    diesel::sql_query(sql)
        .load(conn)
        .expect("the table is read")
}

/// Whether a replica holds exactly what its account sees on the server.
pub(super) fn equal(server: &Server, device: &Device) -> Result<(), String> {
    let teams: Vec<String> = device
        .network
        .state()
        .member
        .teams
        .iter()
        .map(|team| format!("'{team}'"))
        .collect();
    let condition = format!("team in ({})", teams.join(", "));
    for table in &ALL {
        let rows = |conn: &mut SqliteConnection, condition: &str| -> Vec<String> {
            let lines = lines(conn, table, "null", condition).into_iter();
            lines
                .map(|line| format!("{} {}", line.id, shown(&line.content)))
                .collect()
        };
        let theirs = rows(&mut server.connect(), &condition);
        let ours = rows(&mut device.connect(), "true");
        if theirs != ours {
            return Err(format!(
                "{}: the server shows\n  {}\nand the replica holds\n  {}",
                table.name,
                theirs.join("\n  "),
                ours.join("\n  ")
            ));
        }
    }
    match device.pending() {
        0 => Ok(()),
        left => Err(format!("{left} changes were never answered")),
    }
}

/// A row with its stamp as an instant: how many digits stand behind the second is whoever wrote it's matter.
fn shown(row: &str) -> Value {
    let mut row: Value = serde_json::from_str(row).expect("a row is JSON");
    let stamp: DateTime<Utc> = row["at"]
        .as_str()
        .and_then(|stamp| stamp.parse().ok())
        .expect("a row has a stamp");
    row["at"] = stamp.timestamp_micros().into();
    row
}

/// What stands on the server under one id.
struct Standing {
    row: Map<String, Value>,
    registers: BTreeMap<String, Clock>,
}

impl Standing {
    fn read(row: &str, registers: Option<&str>) -> Self {
        let row: Map<String, Value> = serde_json::from_str(row).expect("a row is JSON");
        let registers = match registers {
            Some(registers) => crate::registers(registers).expect("registers are clocks"),
            // All is as old as the stamp.
            None => {
                let stamp = row["at"].as_str().expect("a row has a stamp");
                let stamp = stamp.parse().expect("a stamp is an instant");
                BTreeMap::from([(String::new(), Clock::of_database(stamp))])
            }
        };
        Standing { row, registers }
    }

    /// The last write of a column; of a row that wins or loses as a whole, that of any column.
    fn register(&self, column: &str) -> Clock {
        match column {
            column if !column.is_empty() && self.row.contains_key("left") => {
                let columns = ["team", "left", "right"].map(|column| self.own(column));
                columns.into_iter().fold(Clock::ZERO, Clock::max)
            }
            _ => self.own(column),
        }
    }

    fn own(&self, column: &str) -> Clock {
        let registers = &self.registers;
        let found = registers.get(column).or_else(|| registers.get(""));
        found.copied().unwrap_or(Clock::ZERO)
    }
}

/// Whether each change that was reported as accepted is there, or was overwritten by a later clock or a deletion. `deleted` are the ids of rows
/// that were ever deleted, per table.
pub(super) fn kept(
    server: &Server,
    devices: &[Device],
    deleted: &BTreeSet<(String, String)>,
) -> Result<usize, String> {
    let mut deleted = deleted.clone();
    let states: Vec<_> = devices
        .iter()
        .map(|device| device.network.state())
        .collect();
    let accepted: Vec<&Change> = states
        .iter()
        .flat_map(|state| &state.answers)
        .flat_map(|(changes, outcomes)| changes.changes.iter().zip(&outcomes.outcomes))
        .filter(|(_, outcome)| matches!(outcome.verdict, Verdict::Applied | Verdict::Merged))
        .map(|(change, _)| change)
        .collect();
    for change in &accepted {
        if change.edit == Edit::Delete {
            deleted.insert((change.table.clone(), id(change)));
        }
    }
    let conn = &mut server.connect();
    for table in &ALL {
        let lines = lines(conn, table, "carburetor_registers", "true").into_iter();
        let standing: BTreeMap<String, Standing> = lines
            .map(|line| {
                (
                    line.id,
                    Standing::read(&line.content, line.extra.as_deref()),
                )
            })
            .collect();
        for change in accepted.iter().filter(|change| change.table == table.name) {
            let is_deleted = deleted.contains(&(change.table.clone(), id(change)));
            if let Err(problem) = stands(change, standing.get(&id(change)), is_deleted) {
                return Err(format!("{problem}: {change:?}"));
            }
        }
    }
    Ok(accepted.len())
}

fn id(change: &Change) -> String {
    change.id.as_str().unwrap_or_default().to_owned()
}

fn stands(change: &Change, found: Option<&Standing>, is_deleted: bool) -> Result<(), String> {
    let columns = match &change.edit {
        Edit::Insert(columns) | Edit::Update(columns) => columns,
        Edit::Delete => {
            return match found {
                // Only a later insert revives.
                Some(row) if row.register("") <= change.clock => {
                    Err("the deletion was accepted, and the row is there".into())
                }
                _ => Ok(()),
            };
        }
    };
    let Some(row) = found else {
        return match is_deleted {
            true => Ok(()),
            false => Err("the row is gone, and nobody deleted it".into()),
        };
    };
    for (column, value) in columns.iter().filter(|(column, _)| *column != "id") {
        let register = row.register(column);
        // PROTOCOL.md: a BIGINT travels as text.
        let stored = match &row.row[column] {
            Value::Number(number) => Value::String(number.to_string()),
            other => other.clone(),
        };
        if register < change.clock && !is_deleted {
            return Err(format!("{column} has an older clock, {register}"));
        }
        if register == change.clock && stored != *value {
            return Err(format!("{column} has the change's clock and is {stored}"));
        }
    }
    Ok(())
}
