//! Rejected changes that are tried again. What the device has edited of the row since, sent or not, stands on top: it is later than what was rejected.

use super::error::ReplicaError;
use super::file::Store;
use super::overtaken::{Since, note};
use super::query::{self, BIND, Bind, Stored, as_text};
use super::rejected::Rejected;
use super::rest::Rest;
use super::schema::{LAST_CLOCK, tick};
use super::sending;
use super::table::ReplicaTable;
use crate::change::{Change, Edit};
use crate::outcome::Code;
use crate::wire::WireError;
use diesel::QueryResult;
use diesel::connection::SimpleConnection;
use diesel::sqlite::SqliteConnection;
use serde_json::{Map, Value};

impl Store {
    /// Edits the row again as a rejected change did, with a new clock, beneath what the device has edited since. The caller has a transaction.
    pub(super) fn retry(
        &self,
        conn: &mut SqliteConnection,
        seq: i64,
    ) -> Result<bool, ReplicaError> {
        let rejected = self.rejected(conn)?;
        let Some(rejected) = rejected.into_iter().find(|one| one.seq == seq) else {
            return Ok(false);
        };
        let change = &rejected.change;
        let Some(table) = self.table(&change.table) else {
            let problem = WireError::new("the group no longer has it: drop the rejected change");
            return Err(problem.at(&change.table, "").into());
        };
        let id = table.admit_id(&change.id)?;
        let before = as_text(&query::value(conn, &format!("select {LAST_CLOCK}"), [])?);
        self.edit_again(conn, table, &rejected, &id)?;
        note(conn, table, &rejected, &id, &before)?;
        self.forget(conn, seq)
    }

    fn edit_again(
        &self,
        conn: &mut SqliteConnection,
        table: &ReplicaTable,
        rejected: &Rejected,
        id: &[Stored],
    ) -> Result<(), ReplicaError> {
        let change = &rejected.change;
        let since = Since::read(conn, table, rejected.seq, id)?;
        let problem = |problem: &str| {
            let problem = WireError::new(problem).at(&change.table, "");
            Err(problem.of(change.id.clone()).into())
        };
        let row = Row { table, id };
        let left = Left::of(table, change, &since)?;
        let written = match &change.edit {
            Edit::Delete if since.has_any() => {
                return match row.is_there(conn)? {
                    true => problem(
                        "the row was edited since, on this device: delete it if it is to go nonetheless, and drop the rejected change",
                    ),
                    false => Ok(()),
                };
            }
            Edit::Delete => row.delete(conn)?,
            Edit::Insert(_) | Edit::Update(_) if left.all.is_empty() => {
                let lost = "nothing is left of the edit, because what it wrote can't travel, or its column is gone: write it anew (`rest` has what can't travel), and drop the rejected change";
                return Err(WireError::new(lost).at(&change.table, "").into());
            }
            Edit::Insert(_) | Edit::Update(_) if since.is_of_row => {
                return problem(
                    "the row was deleted or inserted since, on this device: write anew what is to stand, and drop the rejected change",
                );
            }
            // The insert of a row of nothing but ids never had anything else to write.
            Edit::Insert(_) | Edit::Update(_)
                if left.set.is_empty()
                    && (since.has_any() || matches!(change.edit, Edit::Update(_))) =>
            {
                return problem(
                    "all that it wrote was edited since, on this device: write anew what is to stand, and drop the rejected change",
                );
            }
            Edit::Insert(_) => row.insert(conn, rejected.seq, left.all, &left.set)?,
            Edit::Update(_) => row.update(conn, left.set)?,
        };
        match written {
            0 if rejected.rejection.code == Code::Gone => problem(
                "the row is deleted, and an update brings none back: insert it anew with what was written, and drop the rejected change",
            ),
            0 => self.send_again(conn, change, &since),
            _ => Ok(()),
        }
    }

    /// The replica has no such row, so that the change itself is sent once more, with a new clock.
    fn send_again(
        &self,
        conn: &mut SqliteConnection,
        change: &Change,
        since: &Since,
    ) -> Result<(), ReplicaError> {
        conn.batch_execute(&tick())?;
        let clock = as_text(&query::value(conn, &format!("select {LAST_CLOCK}"), [])?);
        let mut again = Change {
            clock: clock
                .parse()
                .map_err(|_| WireError::new("the replica's id is unreadable"))?,
            ..change.clone()
        };
        if let Edit::Update(columns) = &mut again.edit {
            columns.retain(|name, _| !since.has(name));
        }
        sending::enqueue(conn, &self.group, &again, None)
    }
}

/// A column, quoted, and what is to stand there.
type Written = (String, Bind);

/// What a change writes.
struct Left {
    /// Whatever the model still has.
    all: Vec<Written>,
    /// Of these what was not edited since.
    set: Vec<Written>,
}

impl Left {
    fn of(table: &ReplicaTable, change: &Change, since: &Since) -> Result<Self, WireError> {
        let none = Map::new();
        let columns: &Map<String, Value> = match &change.edit {
            Edit::Insert(columns) | Edit::Update(columns) => columns,
            Edit::Delete => &none,
        };
        let mut left = Left {
            all: Vec::new(),
            set: Vec::new(),
        };
        for (name, value) in columns {
            let Some((number, column)) = table.column(name) else {
                continue;
            };
            let stored = (table.admit)(number, value)?;
            if !column.id && !since.has(name) {
                left.set.push((column.quoted(), Bind(stored.clone())));
            }
            left.all.push((column.quoted(), Bind(stored)));
        }
        Ok(left)
    }
}

/// The row that a change is of.
struct Row<'r> {
    table: &'r ReplicaTable,
    id: &'r [Stored],
}

impl Row<'_> {
    fn binds(&self) -> impl Iterator<Item = Bind> {
        self.id.iter().cloned().map(Bind)
    }

    fn is_there(&self, conn: &mut SqliteConnection) -> QueryResult<bool> {
        let (name, has_id) = (self.table.name(), self.table.has_id("kept"));
        let sql = format!("select 1 from {name} as kept where {has_id}");
        query::exists(conn, &sql, self.binds())
    }

    /// REPLACE would take along what only the program knows of the row.
    fn insert(
        &self,
        conn: &mut SqliteConnection,
        seq: i64,
        all: Vec<Written>,
        set: &[Written],
    ) -> Result<usize, ReplicaError> {
        let table = self.table;
        let is_new = !self.is_there(conn)?;
        let set: Vec<String> = set
            .iter()
            .map(|(name, _)| format!("{name} = excluded.{name}"))
            .collect();
        let met = match set.is_empty() {
            true => "nothing".to_owned(),
            false => format!("update set {}", set.join(", ")),
        };
        let (names, binds): (Vec<String>, Vec<Bind>) = all.into_iter().unzip();
        let sql = format!(
            "insert into {} ({}) values ({}) on conflict ({}) do {met}",
            table.name(),
            names.join(", "),
            vec![BIND; names.len()].join(", "),
            table.ids("")
        );
        let written = query::execute(conn, &sql, binds)?;
        if is_new {
            let rest = format!("select rest from carburetor_rejected where seq = {BIND}");
            let rest = query::value(conn, &rest, [Bind::integer(seq)])?;
            Rest::of_text(&as_text(&rest)).give(conn, table, self.id)?;
        }
        Ok(written)
    }

    fn update(&self, conn: &mut SqliteConnection, set: Vec<Written>) -> QueryResult<usize> {
        let (names, binds): (Vec<String>, Vec<Bind>) = set
            .into_iter()
            .map(|(name, bind)| (format!("{name} = {BIND}"), bind))
            .unzip();
        let sql = format!(
            "update {} as kept set {} where {}",
            self.table.name(),
            names.join(", "),
            self.table.has_id("kept")
        );
        query::execute(conn, &sql, binds.into_iter().chain(self.binds()))
    }

    fn delete(&self, conn: &mut SqliteConnection) -> QueryResult<usize> {
        let (name, has_id) = (self.table.name(), self.table.has_id("kept"));
        let sql = format!("delete from {name} as kept where {has_id}");
        query::execute(conn, &sql, self.binds())
    }
}
