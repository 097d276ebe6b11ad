//! One change, read with the eyes of its table: what uploads may write, as the database takes it.

use super::UploadTable;
use super::decide::{Kind, missing_unit_columns};
use crate::backend::SyncBackend;
use crate::change::{Change, Edit};
use crate::clip;
use crate::clock::Clock;
use crate::download::unreadable::LONGEST;
use crate::outcome::{Code, Rejection};
use crate::table::{ColumnDefinition, Storage, TableDefinition};
use crate::wire::WireBackend;
use serde_json::{Map, Value};

/// What a key has besides a value's bytes, at most.
const KEY: usize = 9;

/// A change that could be read.
pub(super) struct Admitted<'c, DB: WireBackend> {
    pub(super) change: &'c Change,
    /// Its place among the changes of the upload.
    pub(super) at: usize,
    /// The place of its table in the group.
    pub(super) table: usize,
    /// Tells its row from the others of the table.
    pub(super) key: Vec<u8>,
    /// The id, column by column.
    pub(super) id: Vec<DB::WireValue>,
    pub(super) kind: Kind,
    /// What it writes besides the id.
    pub(super) cells: Vec<Cell<DB>>,
}

/// The value that a change gives to one column.
pub(super) struct Cell<DB: WireBackend> {
    pub(super) column: &'static ColumnDefinition,
    pub(super) value: Option<DB::WireValue>,
}

impl<DB: WireBackend> Admitted<'_, DB> {
    /// The value that it gives to `column`.
    pub(super) fn value(
        &self,
        definition: &TableDefinition,
        column: &str,
    ) -> Option<&DB::WireValue> {
        match definition.ids().position(|id| id.name == column) {
            Some(part) => self.id.get(part),
            None => self
                .cells
                .iter()
                .find(|cell| cell.column.name == column)?
                .value
                .as_ref(),
        }
    }

    pub(super) fn clock(&self) -> Clock {
        self.change.clock
    }
}

/// Reads `change`, the one at `at`; a rejection says what keeps it from being applied, whatever the database holds.
pub(super) fn admit<'c, DB: SyncBackend>(
    tables: &[UploadTable<'_, DB>],
    at: usize,
    change: &'c Change,
) -> Result<Admitted<'c, DB>, Rejection> {
    if change.clock.replica() == 0 {
        return Err(invalid(
            "the clock names replica 0, which is the database itself: give every replica a random id".into(),
            None,
        ));
    }
    let place = tables
        .iter()
        .position(|table| table.definition.wire_name == change.table);
    let table = place.ok_or_else(|| {
        invalid(
            format!(
                "the group has no table `{}`: upload it to the group that has it",
                clip::name(&change.table)
            ),
            None,
        )
    })?;
    let definition = tables[table].definition;
    if definition.read_only || definition.untracked {
        return Err(Rejection {
            code: Code::ReadOnly,
            message: format!(
                "{} takes no uploads: write it on the server",
                definition.wire_name
            ),
            field: None,
        });
    }
    let id = id(&tables[table], &change.id)?;
    let mut key = Vec::new();
    for (part, column) in id.iter().zip(definition.ids()) {
        let before = key.len();
        DB::key(part, &mut key);
        // Rows that are there already can be edited and go.
        let is_long = key.len() - before > LONGEST + KEY;
        if is_long && matches!(change.edit, Edit::Insert(_)) {
            return Err(invalid(
                format!(
                    "{}.{}: an id has {LONGEST} bytes at most: give the row a shorter one",
                    definition.wire_name, column.name
                ),
                Some(&column.name),
            ));
        }
    }
    let mut admitted = Admitted {
        change,
        at,
        table,
        key,
        id,
        kind: Kind::Delete,
        cells: Vec::new(),
    };
    match &change.edit {
        Edit::Insert(columns) => admitted.read(&tables[table], Kind::Insert, columns)?,
        Edit::Update(columns) => admitted.read(&tables[table], Kind::Update, columns)?,
        Edit::Delete => {}
    }
    Ok(admitted)
}

impl<'c, DB: SyncBackend> Admitted<'c, DB> {
    fn read(
        &mut self,
        table: &UploadTable<'_, DB>,
        kind: Kind,
        columns: &'c Map<String, Value>,
    ) -> Result<(), Rejection> {
        let definition = table.definition;
        self.kind = kind;
        self.cells.reserve(columns.len());
        for (name, json) in columns {
            let found = definition
                .downloaded()
                .enumerate()
                .find(|(_, column)| column.name == *name);
            let Some((number, column)) = found else {
                return Err(invalid(
                    format!(
                        "{}.{}: there is no such column: leave it out, or update the server",
                        definition.wire_name,
                        clip::name(name)
                    ),
                    Some(name),
                ));
            };
            if column.id {
                self.same_id(table, column, number, json)?;
                continue;
            }
            if column.deleted {
                if is_deleted(column, json) {
                    self.kind = Kind::Delete;
                }
                continue;
            }
            // The stamp is the server's; a replica that sends its own is answered with the row.
            if column.last_synced_at {
                continue;
            }
            if column.read_only {
                return Err(refused(
                    Code::ReadOnly,
                    definition,
                    column,
                    "is downloaded only: leave it out, and write it on the server",
                ));
            }
            if column.immutable && kind == Kind::Update {
                return Err(refused(
                    Code::Immutable,
                    definition,
                    column,
                    "is written by an insert only: leave it out, or delete the row and insert another",
                ));
            }
            let value = (table.admit)(number, json)
                .map_err(|error| invalid(error.to_string(), Some(name)))?;
            self.cells.push(Cell { column, value });
        }
        if self.kind == Kind::Delete {
            self.cells.clear();
            return Ok(());
        }
        if kind == Kind::Insert {
            complete(definition, columns)?;
        }
        let given: Vec<&str> = self
            .cells
            .iter()
            .map(|cell| cell.column.name.as_str())
            .collect();
        match missing_unit_columns(definition, &given).as_slice() {
            [] => Ok(()),
            [missing, ..] => Err(invalid(
                format!(
                    "{}.{missing}: missing; the columns of {} are resolved as one row (`last_write_wins`), so that a change gives all of them",
                    definition.wire_name, definition.wire_name
                ),
                Some(missing),
            )),
        }
    }

    /// An id among the columns is the change's own.
    fn same_id(
        &self,
        table: &UploadTable<'_, DB>,
        column: &ColumnDefinition,
        number: usize,
        json: &Value,
    ) -> Result<(), Rejection> {
        let value = (table.admit)(number, json)
            .map_err(|error| invalid(error.to_string(), Some(&column.name)))?;
        let place = table.definition.ids().position(|id| id.name == column.name);
        let (mut own, mut given) = (Vec::new(), Vec::new());
        if let (Some(part), Some(value)) = (place.and_then(|place| self.id.get(place)), &value) {
            DB::key(part, &mut own);
            DB::key(value, &mut given);
        }
        match !own.is_empty() && own == given {
            true => Ok(()),
            false if self.kind == Kind::Insert => Err(invalid(
                format!(
                    "{}.{}: differs from the id of the change: give both the same",
                    table.definition.wire_name, column.name
                ),
                Some(&column.name),
            )),
            false => Err(refused(
                Code::Immutable,
                table.definition,
                column,
                "is the id: delete the row and insert another",
            )),
        }
    }
}

/// The row that a change is of: the place of its table, and its key.
pub(super) fn row_of<DB: SyncBackend>(
    tables: &[UploadTable<'_, DB>],
    change: &Change,
) -> Option<(usize, Vec<u8>)> {
    let place = tables
        .iter()
        .position(|table| table.definition.wire_name == change.table)?;
    let mut key = Vec::new();
    for part in &id(&tables[place], &change.id).ok()? {
        DB::key(part, &mut key);
    }
    Some((place, key))
}

pub(super) fn id<DB: SyncBackend>(
    table: &UploadTable<'_, DB>,
    id: &Value,
) -> Result<Vec<DB::WireValue>, Rejection> {
    let definition = table.definition;
    let parts = definition
        .id_parts(id)
        .map_err(|expected| invalid(format!("{}: {expected}", definition.wire_name), None))?;
    let part = |(number, column, json): (usize, &ColumnDefinition, &Value)| {
        let value = (table.admit)(number, json)
            .map_err(|error| invalid(error.to_string(), Some(&column.name)))?;
        value.ok_or_else(|| {
            invalid(
                format!(
                    "{}.{}: an id can't be null: give the row one",
                    definition.wire_name, column.name
                ),
                Some(&column.name),
            )
        })
    };
    parts.into_iter().map(part).collect()
}

/// An insert gives every column but those that have a default, may be NULL, or that the server keeps.
fn complete(definition: &TableDefinition, given: &Map<String, Value>) -> Result<(), Rejection> {
    let missing = definition.downloaded().find(|column| {
        let kept = column.id || column.last_synced_at || column.deleted || column.read_only;
        !kept && !column.default && !column.nullable && !given.contains_key(&column.name)
    });
    match missing {
        None => Ok(()),
        Some(column) => Err(invalid(
            format!(
                "{}.{}: missing: an insert gives it, unless its field has #[sync(default)] or is an `Option`",
                definition.wire_name, column.name
            ),
            Some(&column.name),
        )),
    }
}

/// Whether a soft-delete flag with this value says that the row is gone.
fn is_deleted(column: &ColumnDefinition, json: &Value) -> bool {
    match column.storage {
        Storage::Boolean => json == &Value::Bool(true),
        _ => !json.is_null(),
    }
}

fn refused(
    code: Code,
    definition: &TableDefinition,
    column: &ColumnDefinition,
    why: &str,
) -> Rejection {
    Rejection {
        code,
        message: format!("{}.{} {why}", definition.wire_name, column.name),
        field: Some(column.name.clone()),
    }
}

/// A change that can't be read.
pub(super) fn invalid(message: String, field: Option<&str>) -> Rejection {
    Rejection {
        code: Code::Invalid,
        message: clip::message(&message),
        field: field.map(clip::name),
    }
}
