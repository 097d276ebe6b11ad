//! What the database says of an upload's tables, read at its beginning.

use super::UploadTable;
use super::error::UploadError;
use super::types::{ColumnType, Shape, Types};
use crate::backend::SyncBackend;
use crate::change::Change;
use crate::clock::Clock;
use crate::connection::runner::Runner;
use crate::table::{ColumnDefinition, TableDefinition};
use crate::upload::UploadBackend;
use chrono::{DateTime, Utc};
use std::borrow::Cow;

/// What the database says of an upload's tables.
#[derive(Debug, Default)]
pub(super) struct Surroundings {
    now: Option<DateTime<Utc>>,
    /// Tells the database from others.
    origin: Option<String>,
    /// The greatest clock that was ahead of the database when it was accepted.
    pub(super) ahead: Clock,
    /// The same as it is stored, which may be no clock.
    pub(super) noted: String,
    tables: Vec<Table>,
    pub(super) references: Vec<Reference>,
    pub(super) cascades: Vec<Cascade>,
}

#[derive(Debug, Clone, Default)]
struct Table {
    types: Types,
    /// Below it, what is known of deletions is incomplete; none where the table has no registers.
    expired: Option<Clock>,
    /// Triggers of the tracking are missing or disabled.
    is_unarmed: bool,
    /// Nobody else's triggers make something else of what is written.
    is_plain: bool,
    /// Its rows are another server's, which decides on changes of them.
    is_relayed: bool,
}

/// A foreign key of one of the tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reference {
    pub(super) name: String,
    pub(super) child: usize,
    /// None: the parent is outside of the group.
    pub(super) parent: Option<usize>,
    /// The parent's name there.
    pub(super) outside: Option<String>,
    /// The child's columns and those of the parent that they name, in order; SQLite may leave the latter out.
    pub(super) columns: Vec<(String, String)>,
    pub(super) when: When,
}

/// When the database looks at a foreign key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    AtOnce,
    /// Before the commit.
    Late,
    Never,
}

/// A foreign key by which the deletion of a row of one of the tables deletes or changes other rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cascade {
    pub(super) parent: usize,
    /// None: the child is outside of the group.
    pub(super) child: Option<usize>,
    /// The child's quoted name.
    pub(super) name: String,
    /// The child's rows are deleted; otherwise they lose what points to the parent.
    pub(super) removes: bool,
    /// The child's columns and the parent's that they name.
    pub(super) columns: Vec<(String, String)>,
}

impl Surroundings {
    /// Reads them.
    pub(super) async fn read<R: Runner>(
        runner: &mut R,
        tables: &[UploadTable<'_, R::Backend>],
    ) -> Result<Self, UploadError> {
        let definitions: Vec<&'static TableDefinition> =
            tables.iter().map(|table| table.definition).collect();
        let mut around = Surroundings {
            tables: vec![Table::default(); tables.len()],
            ..Surroundings::default()
        };
        for statement in R::Backend::surroundings(&definitions) {
            for line in runner.ask(statement).await?.rows() {
                around.take(line);
            }
        }
        match around.now {
            Some(_) => Ok(around),
            None => Err(UploadError::NoClock),
        }
    }

    fn take(&mut self, line: Vec<Option<String>>) {
        let mut texts = line.into_iter();
        let mut next = || texts.next().flatten();
        let (Some(kind), Some(place)) =
            (next(), next().and_then(|place| place.parse::<usize>().ok()))
        else {
            return;
        };
        let (a, b, c, d, e) = (next(), next(), next(), next(), next());
        match kind.as_str() {
            "now" => {
                let micros = a.and_then(|micros| micros.parse().ok());
                let now = micros.and_then(DateTime::from_timestamp_micros);
                // On PostgreSQL the time is there without the clock's row.
                self.now = now.filter(|_| b.is_some());
                self.origin = c;
                self.noted = b.unwrap_or_default();
                self.ahead = self.noted.parse().unwrap_or(Clock::ZERO);
            }
            "table" if b.is_some() => {
                if let Some(table) = self.tables.get_mut(place) {
                    table.is_plain = c.is_some();
                    table.is_unarmed = d.is_some();
                    table.expired = Some(
                        a.and_then(|clock| clock.parse().ok())
                            .unwrap_or(Clock::ZERO),
                    );
                }
            }
            "relayed" => {
                if let Some(table) = self.tables.get_mut(place) {
                    table.is_relayed = true;
                }
            }
            "column" => {
                let oid = b.and_then(|oid| oid.parse().ok());
                if let (Some(table), Some(column), Some(oid), Some(name)) =
                    (self.tables.get_mut(place), a, oid, c)
                {
                    let words = d.unwrap_or_default();
                    let is = |word: &str| words.split(' ').any(|other| other == word);
                    let found = ColumnType {
                        oid,
                        name,
                        shape: match e.as_deref() {
                            Some("array") => Shape::Array,
                            Some("composite") => Shape::Composite,
                            _ => Shape::Plain,
                        },
                        is_comparable: is("comparable"),
                        is_exact: is("exact"),
                    };
                    table.types.0.insert(column, found);
                }
            }
            "reference" => {
                self.references.push(Reference {
                    name: a.unwrap_or_default(),
                    child: place,
                    parent: b.as_deref().and_then(|parent| parent.parse().ok()),
                    outside: b.and_then(|name| Some(name.strip_prefix('-')?.to_owned())),
                    columns: pairs(d, e),
                    when: match c.as_deref() {
                        None => When::AtOnce,
                        Some("late") => When::Late,
                        Some(_) => When::Never,
                    },
                });
            }
            "cascade" => self.cascades.push(Cascade {
                parent: place,
                child: a.and_then(|child| child.parse().ok()),
                name: b.unwrap_or_default(),
                removes: c.as_deref() == Some("c"),
                columns: pairs(d, e),
            }),
            _ => {}
        }
    }

    /// The database's clock when they were read.
    pub(super) fn now(&self) -> Clock {
        self.now.map_or(Clock::ZERO, Clock::of_database)
    }

    /// The changes of a replica that was at the server of this origin, without a base where that is a stamp of another database than this one, or of
    /// what this one was before it went back in time.
    pub(super) fn based<'c>(
        &self,
        changes: &'c [Change],
        origin: Option<&str>,
    ) -> Cow<'c, [Change]> {
        let is_other = matches!((&self.origin, origin), (Some(one), Some(other)) if one != other);
        let is_foreign = |change: &Change| {
            change
                .base
                .is_some_and(|base| is_other || Some(base) > self.now)
        };
        if !changes.iter().any(is_foreign) {
            return Cow::Borrowed(changes);
        }
        let based = changes.iter().map(|change| Change {
            base: change.base.filter(|_| !is_foreign(change)),
            ..change.clone()
        });
        Cow::Owned(based.collect())
    }

    /// What tells the database from others.
    pub(super) fn origin(&self) -> Option<&str> {
        self.origin.as_deref()
    }

    /// The instant when they were read.
    pub(super) fn instant(&self) -> Option<DateTime<Utc>> {
        self.now
    }

    /// Whether a row of this table holds exactly what was written into these columns.
    pub(super) fn is_plain(&self, table: usize, columns: &[&ColumnDefinition]) -> bool {
        let plain = self.tables.get(table).filter(|table| table.is_plain);
        plain.is_some_and(|table| {
            columns
                .iter()
                .all(|column| table.types.is_exact(&column.name))
        })
    }

    /// Whether nobody else's triggers, rules or policies make something else of what is written into this table.
    pub(super) fn has_no_others(&self, table: usize) -> bool {
        self.is_plain(table, &[])
    }

    /// Whether another server decides on changes of this table.
    pub(super) fn is_relayed(&self, table: usize) -> bool {
        self.tables.get(table).is_some_and(|table| table.is_relayed)
    }

    /// Whether another server decides on changes of any of the tables.
    pub(super) fn relays(&self) -> bool {
        self.tables.iter().any(|table| table.is_relayed)
    }

    pub(super) fn types(&self, table: usize) -> &Types {
        static NONE: Types = Types::NONE;
        self.tables.get(table).map_or(&NONE, |table| &table.types)
    }

    /// The clock below which absent rows of this table can't be judged.
    pub(super) fn expired(&self, table: usize) -> Clock {
        self.tables
            .get(table)
            .and_then(|table| table.expired)
            .unwrap_or(Clock::ZERO)
    }

    /// Fails if this table has no registers, or not the triggers that tell others of what is written.
    pub(super) fn tracked<DB: SyncBackend>(
        &self,
        table: usize,
        tables: &[UploadTable<'_, DB>],
    ) -> Result<(), UploadError> {
        let key = || tables[table].definition.key();
        match self.tables.get(table) {
            Some(found) if found.expired.is_some() && found.is_unarmed => {
                Err(UploadError::NoTrigger { table: key() })
            }
            Some(found) if found.expired.is_some() => Ok(()),
            _ => Err(UploadError::NotTracked { table: key() }),
        }
    }

    /// The foreign keys of table `child`.
    pub(super) fn references(&self, child: usize) -> impl Iterator<Item = &Reference> {
        self.references
            .iter()
            .filter(move |reference| reference.child == child)
    }

    /// The foreign keys of table `child` to table `parent`.
    pub(super) fn between(&self, child: usize, parent: usize) -> impl Iterator<Item = &Reference> {
        self.references(child)
            .filter(move |reference| reference.parent == Some(parent))
    }

    /// Child and parent of each foreign key within the group.
    pub(super) fn points(&self) -> Vec<(usize, usize)> {
        let points = self
            .references
            .iter()
            .filter_map(|reference| Some((reference.child, reference.parent?)));
        points.collect()
    }
}

/// The columns of a child and those of its parent, as the database lists them.
fn pairs(children: Option<String>, parents: Option<String>) -> Vec<(String, String)> {
    let list = |names: Option<String>| -> Vec<String> {
        let names = names.unwrap_or_default();
        names.split('\u{1f}').map(str::to_owned).collect()
    };
    let mut parents = list(parents).into_iter();
    list(children)
        .into_iter()
        .map(|child| (child, parents.next().unwrap_or_default()))
        .collect()
}
