//! Odd ids: those that SQLite holds and that don't come back from the wire as they are. Their rows are set aside alone, and their edits are told as
//! rejected, once.

use super::error::ReplicaError;
use super::frozen::Frozen;
use super::query::{self, BIND, Bind, Stored, applying, as_integer, as_text};
use super::rejected::keep_aside;
use super::rest::{Rest, local, typed};
use super::table::ReplicaTable;
use crate::change::{Change, Edit};
use crate::outcome::{Code, Rejection};
use crate::table::{ColumnDefinition, Storage, literal, quoted};
use crate::wire::{SqliteValue, WireError};
use diesel::sqlite::SqliteConnection;
use serde_json::{Map, Value, json};

/// A change whose id is odd.
pub(super) struct Odd {
    /// An entry of it, by which its row is found: what Rust makes of the id may be another one.
    entry: i64,
    pub(super) problem: WireError,
}

/// What a row holds that travels, and the rest.
type Held = (Map<String, Value>, Rest);

const REMEDY: &str = "write the row again under an id that the model takes";

/// Whether a part of an id is one that travels and comes back for certain, as almost all do.
fn is_plain(column: &ColumnDefinition, part: &Stored) -> bool {
    match (column.storage, part) {
        (Storage::Text, Some(SqliteValue::Text(text))) => {
            !text.contains(char::REPLACEMENT_CHARACTER)
        }
        (Storage::Integer, Some(SqliteValue::Integer(number))) => i16::try_from(*number).is_ok(),
        _ => false,
    }
}

/// What a change's id is.
pub(super) enum Judged {
    Sound,
    Odd(Odd),
    /// It went with another one: NULL is an id of several rows.
    Gone,
}

/// Whether the id of a change is odd.
pub(super) fn judge(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    frozen: &Frozen,
) -> Result<Judged, ReplicaError> {
    let mut parts = table.definition.ids().zip(&frozen.id);
    if parts.all(|(column, part)| is_plain(column, part)) {
        return Ok(Judged::Sound);
    }
    let (name, outbox) = (&table.definition.wire_name, table.own("outbox"));
    let found = format!(
        "select rowid from {outbox} where carburetor_clock = {BIND} and carburetor_sent <> 1 limit 1"
    );
    let entry = query::value(conn, &found, [Bind::text(&frozen.clock)])?;
    let Some(SqliteValue::Integer(entry)) = entry else {
        return Ok(Judged::Gone);
    };
    let odd = |problem: WireError, column: &str| {
        let message = format!("{}; {REMEDY}", problem.message);
        let problem = WireError::new(message).at(name, column);
        Ok(Judged::Odd(Odd { entry, problem }))
    };
    let columns: Vec<_> = table.definition.downloaded().enumerate().collect();
    let ids: Vec<_> = columns
        .into_iter()
        .filter(|(_, column)| column.id)
        .collect();
    let mut travels = Vec::new();
    let sql = format!(
        "select {} from {outbox} where rowid = {entry}",
        table.ids("")
    );
    query::each(conn, &sql, [], |row| {
        for (part, (number, _)) in ids.iter().enumerate() {
            travels.push(row.json(part, &table.codecs[*number]));
        }
        Ok::<_, ReplicaError>(())
    })?;
    for ((number, column), value) in ids.into_iter().zip(travels) {
        let comes_back = value.and_then(|value| {
            let stored = (table.admit)(number, &value)?;
            Ok((value, stored))
        });
        let (value, stored) = match comes_back {
            Ok((_, None)) => return odd(WireError::new("an id is not NULL"), &column.name),
            Ok(known) => known,
            Err(problem) => return odd(problem, &column.name),
        };
        let same = format!(
            "select 1 from {outbox} where rowid = {entry} and {} is {BIND}",
            column.quoted()
        );
        if !query::exists(conn, &same, [Bind(stored)])? {
            let problem =
                format!("it is stored in another form than that in which it travels, {value}");
            return odd(WireError::new(problem), &column.name);
        }
    }
    Ok(Judged::Sound)
}

impl Odd {
    /// Takes back what was done to the rows of this id, tells it as rejected, and forgets it. The caller has a transaction.
    pub(super) fn set_aside(
        self,
        conn: &mut SqliteConnection,
        table: &ReplicaTable,
        frozen: &Frozen,
    ) -> Result<(), ReplicaError> {
        let outbox = table.own("outbox");
        let entries = format!(
            "select carburetor_kind, carburetor_column from {outbox} as entry where {}",
            self.has_id(table, "entry")
        );
        let entries = query::rows(conn, &entries, [])?;
        let is = |kind: &str| entries.iter().any(|entry| as_text(&entry[0]) == kind);
        let columns: Vec<String> = entries.iter().map(|entry| as_text(&entry[1])).collect();
        let given: Vec<&str> = match is("insert") {
            true => {
                let inserted = table.definition.downloaded();
                let inserted =
                    inserted.filter(|column| !column.read_only && !column.last_synced_at);
                inserted.map(|column| column.name.as_str()).collect()
            }
            false => columns.iter().map(String::as_str).collect(),
        };
        let mut edits: Vec<(Edit, Rest)> = match is("delete") {
            true => vec![(Edit::Delete, Rest::default())],
            false => {
                let rows = self.rows(conn, table, &given, is("insert"))?.into_iter();
                let edit = match is("insert") {
                    true => Edit::Insert,
                    false => Edit::Update,
                };
                rows.map(|(row, rest)| (edit(row), rest)).collect()
            }
        };
        if edits.is_empty() {
            edits.push((Edit::Update(Map::new()), Rest::default()));
        }
        let rejection = Rejection {
            code: Code::Invalid,
            message: self.problem.to_string(),
            field: Some(self.problem.column.clone()),
        };
        let clock = frozen
            .clock
            .parse()
            .map_err(|_| WireError::new("the outbox holds an unreadable clock"))?;
        let id = self.id(conn, table)?;
        for (edit, rest) in edits {
            let change = Change {
                table: table.definition.wire_name.clone(),
                id: id.clone(),
                clock,
                base: None,
                edit,
                was: Map::new(),
            };
            keep_aside(conn, &table.owner, &change, &rejection, &rest)?;
        }
        self.take_back(conn, table, is("insert"), &columns)?;
        let forget = format!(
            "delete from {outbox} as entry where {}",
            self.has_id(table, "entry")
        );
        match query::execute(conn, &forget, [])? {
            0 => Err(ReplicaError::stuck(table, &frozen.clock)),
            _ => Ok(()),
        }
    }

    /// That a row has this id, by what the entry holds.
    fn has_id(&self, table: &ReplicaTable, alias: &str) -> String {
        let (outbox, entry) = (table.own("outbox"), self.entry);
        let parts = table.definition.ids().map(|id| {
            let id = id.quoted();
            format!("{alias}.{id} is (select {id} from {outbox} where rowid = {entry})")
        });
        parts.collect::<Vec<_>>().join(" and ")
    }

    /// What the rows of this id hold of the columns, as far as it travels, and the rest, which goes with an insert.
    fn rows(
        &self,
        conn: &mut SqliteConnection,
        table: &ReplicaTable,
        given: &[&str],
        is_insert: bool,
    ) -> Result<Vec<Held>, ReplicaError> {
        let columns: Vec<_> = table.definition.downloaded().enumerate().collect();
        let mut others = match is_insert {
            true => local(conn, table)?,
            false => Vec::new(),
        };
        others.extend(
            given
                .iter()
                .map(|name| (*name).to_owned())
                .filter(|name| !name.is_empty()),
        );
        let listed = match others.is_empty() {
            true => table.columns("kept."),
            false => format!("{}, {}", table.columns("kept."), typed(&others, "kept")),
        };
        let sql = format!(
            "select {listed} from {} as kept where {}",
            table.name(),
            self.has_id(table, "kept")
        );
        let mut rows = Vec::new();
        query::each(conn, &sql, [], |row| {
            let mut kept = Map::new();
            for (number, column) in &columns {
                if given.contains(&column.name.as_str())
                    && let Ok(value) = row.json(*number, &table.codecs[*number])
                {
                    kept.insert(column.name.clone(), value);
                }
            }
            let mut rest = Rest::read(&others, row, columns.len());
            rest.retain(|name| !kept.contains_key(name));
            rows.push((kept, rest));
            Ok::<_, ReplicaError>(())
        })?;
        Ok(rows)
    }

    /// The rows become what they were before.
    fn take_back(
        &self,
        conn: &mut SqliteConnection,
        table: &ReplicaTable,
        is_insert: bool,
        columns: &[String],
    ) -> Result<(), ReplicaError> {
        let (name, outbox) = (table.name(), table.own("outbox"));
        let has_id = self.has_id(table, "kept");
        let edited: Vec<&String> = columns.iter().filter(|column| !column.is_empty()).collect();
        let undo = match (is_insert, edited.is_empty()) {
            (true, _) => format!("delete from {name} as kept where {has_id}"),
            (false, true) => return Ok(()),
            (false, false) => {
                let was = edited.iter().map(|column| {
                    format!(
                        "{} = (select carburetor_was from {outbox} as entry where {} and carburetor_column = {})",
                        quoted(column),
                        self.has_id(table, "entry"),
                        literal(column)
                    )
                });
                let set = was.collect::<Vec<_>>().join(", ");
                format!("update {name} as kept set {set} where {has_id}")
            }
        };
        applying(conn, |conn| query::execute(conn, &undo, []))?;
        Ok(())
    }

    /// The id for whoever reads of it: what isn't of JSON, and what isn't text, is written in a form that no model takes for an id.
    fn id(&self, conn: &mut SqliteConnection, table: &ReplicaTable) -> Result<Value, ReplicaError> {
        let parts: Vec<String> = table
            .definition
            .ids()
            .map(|id| format!("typeof({0}), {0}, lower(hex({0}))", id.quoted()))
            .collect();
        let sql = format!(
            "select {} from {} where rowid = {}",
            parts.join(", "),
            table.own("outbox"),
            self.entry
        );
        let rows = query::rows(conn, &sql, [])?;
        let row = rows.first().map(Vec::as_slice).unwrap_or_default();
        let mut parts: Vec<Value> = row
            .chunks(3)
            .map(|part| match (as_text(&part[0]).as_str(), &part[1]) {
                ("text", Some(SqliteValue::Text(text)))
                    if !text.contains(char::REPLACEMENT_CHARACTER) =>
                {
                    json!(text)
                }
                ("integer", stored) => json!(as_integer(stored)),
                ("real", Some(SqliteValue::Real(real))) => json!(real),
                ("null", _) => Value::Null,
                (kind, _) => json!({ kind: as_text(&part[2]) }),
            })
            .collect();
        Ok(match parts.len() {
            1 => parts.remove(0),
            _ => Value::Array(parts),
        })
    }
}
