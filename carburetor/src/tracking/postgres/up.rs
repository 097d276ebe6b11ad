//! The installation: what makes tables tracked.

use super::install::{Names, hash, install, list};
use super::{down, schema};
use crate::table::{ColumnDefinition, TableDefinition, quoted};
use std::fmt;

/// The texts that make tables tracked, in the order in which they run.
///
/// Running them again changes nothing. The display of the whole is what `up.sql` holds.
///
/// ```
/// use carburetor::table::{ColumnDefinition, Storage, TableDefinition};
/// use carburetor::tracking::postgres::up;
/// let users = TableDefinition {
///     wire_name: "users".into(),
///     schema: None,
///     table: "users".into(),
///     untracked: false,
///     columns: vec![
///         ColumnDefinition { id: true, ..ColumnDefinition::new("id") },
///         ColumnDefinition { last_synced_at: true, storage: Storage::Timestamptz, ..ColumnDefinition::new("updated_at") },
///     ],
///     ..TableDefinition::default()
/// };
/// let up = up(&[&users]);
/// assert_eq!(up.tables.len(), 1);
/// assert_eq!(
///     up.indexes[0].concurrently,
///     r#"create index concurrently if not exists "carburetor_users" on "users" ("updated_at", "id");"#,
/// );
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Up {
    /// The registry, in a transaction.
    pub schema: String,
    /// Per table its triggers, each in a transaction of its own where the tables have traffic.
    pub tables: Vec<String>,
    /// Per table its index, after the triggers.
    pub indexes: Vec<Index>,
}

/// The index on (stamp, id) that downloads read along.
///
/// ```
/// # use carburetor::table::{ColumnDefinition, TableDefinition};
/// # use carburetor::tracking::postgres::up;
/// # let games = TableDefinition { wire_name: "games".into(), schema: None, table: "games".into(), untracked: false,
/// #     columns: vec![ColumnDefinition { id: true, ..ColumnDefinition::new("id") }], ..TableDefinition::default() };
/// assert!(up(&[&games]).indexes[0].plain.starts_with("create index if not exists"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Index {
    /// Lets writers go on. Runs alone: outside of a transaction, and as the only statement of its migration. Not for a partitioned table.
    pub concurrently: String,
    /// Holds writers up while it runs, and works everywhere.
    pub plain: String,
}

/// What makes `definitions` tracked.
///
/// ```
/// # use carburetor::tracking::postgres::up;
/// assert!(up(&[]).schema.starts_with("-- The registry"));
/// ```
pub fn up(definitions: &[&TableDefinition]) -> Up {
    let tracked = || {
        definitions
            .iter()
            .filter(|definition| !definition.untracked)
    };
    Up {
        schema: schema::text(),
        tables: tracked().map(|definition| install(definition)).collect(),
        indexes: tracked().map(|definition| index(definition)).collect(),
    }
}

/// What leads from `old` to `new`: tables that are no longer there are no longer tracked, and new and changed ones are.
///
/// A change of `visible_by` columns moves the table's horizon to now, a change of the id its generation.
///
/// ```
/// # use carburetor::tracking::postgres::difference;
/// assert_eq!(difference(&[], &[]).tables, Vec::<String>::new());
/// ```
pub fn difference(old: &[&TableDefinition], new: &[&TableDefinition]) -> Up {
    let tracked = |definition: &&&TableDefinition| !definition.untracked;
    let known = |definition: &TableDefinition| {
        old.iter()
            .filter(tracked)
            .any(|old| hash(old) == hash(definition))
    };
    let gone = old
        .iter()
        .filter(tracked)
        .filter(|old| !new.iter().filter(tracked).any(|new| new.key() == old.key()));
    let changed: Vec<_> = new
        .iter()
        .filter(tracked)
        .filter(|new| !known(new))
        .copied()
        .collect();
    let Up {
        schema,
        tables,
        indexes,
    } = up(&changed);
    Up {
        schema,
        tables: gone.map(|old| down::table(old)).chain(tables).collect(),
        indexes,
    }
}

fn index(definition: &TableDefinition) -> Index {
    let name = quoted(&Names::of(definition).index);
    let columns = list(
        definition
            .stamp()
            .into_iter()
            .chain(definition.ids())
            .map(ColumnDefinition::quoted),
    );
    let on = format!(
        "if not exists {name} on {} ({columns});",
        definition.sql_name()
    );
    Index {
        concurrently: format!("create index concurrently {on}"),
        plain: format!("create index {on}"),
    }
}

impl fmt::Display for Up {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            out,
            "-- Made by carburetor. Runs within a transaction; a second run changes nothing."
        )?;
        writeln!(
            out,
            "-- Where the tables have traffic, put each part below into a migration of its own.\n"
        )?;
        writeln!(out, "{}", self.schema)?;
        for table in &self.tables {
            writeln!(out, "{table}")?;
        }
        for Index {
            concurrently,
            plain,
        } in &self.indexes
        {
            writeln!(
                out,
                "-- A large table: leave this out here, and put into a migration with `run_in_transaction = false`, alone:"
            )?;
            writeln!(
                out,
                "-- {}\n{plain}",
                concurrently.replace(['\n', '\r'], " ")
            )?;
        }
        Ok(())
    }
}
