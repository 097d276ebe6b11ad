//! What is known of a synced table without a connection: its names, its columns, and the role of each column.

use super::Conflict;
use crate::hex::hex;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// A synced table as plain values, made by `#[derive(SyncTable)]` for one backend.
///
/// ```
/// use carburetor::table::{ColumnDefinition, TableDefinition};
/// let games = TableDefinition {
///     wire_name: "games".into(),
///     schema: Some("play".into()),
///     table: "games".into(),
///     columns: vec![ColumnDefinition { id: true, ..ColumnDefinition::new("id") }],
///     ..TableDefinition::default()
/// };
/// assert_eq!(games.sql_name(), r#""play"."games""#);
/// assert_eq!(games.key(), "play.games");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TableDefinition {
    /// The table's name on the wire.
    pub wire_name: String,
    /// The schema that the `table!` names, if it names one.
    pub schema: Option<String>,
    /// The table's name in the database.
    pub table: String,
    /// `#[sync(untracked)]`: on PostgreSQL the application keeps the stamp, not our trigger.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub untracked: bool,
    /// Replicas write it only while they are connected.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub online_only: bool,
    /// Downloaded only: no replica's change of it is taken, and no registers are kept.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub read_only: bool,
    /// Who wins when two replicas edit one row.
    pub conflict: Conflict,
    /// The columns of the model, in its order. A table may have more.
    pub columns: Vec<ColumnDefinition>,
}

/// One column of a [`TableDefinition`].
///
/// ```
/// use carburetor::table::ColumnDefinition;
/// let column = ColumnDefinition { visible_by: true, ..ColumnDefinition::new("team") };
/// assert_eq!(column.quoted(), r#""team""#);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ColumnDefinition {
    /// The column's name in the database and on the wire.
    pub name: String,
    /// Part of the id.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub id: bool,
    /// The stamp.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub last_synced_at: bool,
    /// When the row was inserted: the stamp of a row whose stamp is NULL, in an untracked table.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub created_at: bool,
    /// A soft-delete flag, or the instant of the deletion.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
    /// Scopes and filters look at it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub visible_by: bool,
    /// Never on the wire.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub skip: bool,
    /// Downloaded, never uploaded.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub read_only: bool,
    /// Written by an insert only.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub immutable: bool,
    /// A replica's own column; the server has none of it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub local: bool,
    /// May hold NULL.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub nullable: bool,
    /// An old replica may omit it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub default: bool,
    /// Who wins in this column, where it differs from the table's choice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conflict: Option<Conflict>,
    /// How the value is stored, where that decides how SQL treats it.
    pub storage: Storage,
}

/// How a column is stored, as far as the library's own SQL must know it.
///
/// ```
/// use carburetor::table::Storage;
/// assert_eq!(Storage::default(), Storage::Other);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Storage {
    /// `timestamptz`; on SQLite text with an offset.
    Timestamptz,
    /// `timestamp`, read as UTC; on SQLite text without an offset.
    Timestamp,
    /// An integer; as a stamp, microseconds since 1970.
    Integer,
    /// A boolean.
    Boolean,
    /// Text, also of a type that ignores case.
    Text,
    /// Anything else.
    #[default]
    Other,
}

impl TableDefinition {
    /// The table's quoted name, with its schema if the model names one.
    ///
    /// ```
    /// # use carburetor::table::TableDefinition;
    /// let table = TableDefinition { table: "a\"b".into(), ..TableDefinition::default() };
    /// assert_eq!(table.sql_name(), "\"a\"\"b\"");
    /// ```
    pub fn sql_name(&self) -> String {
        match &self.schema {
            Some(schema) => format!("{}.{}", quoted(schema), quoted(&self.table)),
            None => quoted(&self.table),
        }
    }

    /// The table's key in the library's registry: `table` or `schema.table`, unquoted.
    ///
    /// ```
    /// # use carburetor::table::TableDefinition;
    /// let table = TableDefinition { table: "users".into(), ..TableDefinition::default() };
    /// assert_eq!(table.key(), "users");
    /// ```
    pub fn key(&self) -> String {
        match &self.schema {
            Some(schema) => format!("{schema}.{}", self.table),
            None => self.table.clone(),
        }
    }

    /// The name of the table of removals, unquoted: `removal_` and the table's name.
    ///
    /// When the model names a schema, or the name has a `~` or more than 40 bytes, it is shortened to 29 bytes and a `~` with ten digits of
    /// a hash follow. So two tables never share a name, and the objects that are named after it stay below the server's 63 bytes.
    ///
    /// ```
    /// # use carburetor::table::TableDefinition;
    /// let mut games = TableDefinition { table: "games".into(), ..TableDefinition::default() };
    /// assert_eq!(games.removal_name(), "removal_games");
    /// games.schema = Some("play".into());
    /// assert!(games.removal_name().starts_with("removal_play_games~"));
    /// ```
    pub fn removal_name(&self) -> String {
        self.tracking_name("removal")
    }

    /// The name of an object that the library keeps for this table, unquoted; see [`removal_name`](Self::removal_name).
    pub(crate) fn tracking_name(&self, kind: &str) -> String {
        if self.schema.is_none() && self.table.len() <= 40 && !self.table.contains('~') {
            return format!("{kind}_{}", self.table);
        }
        let mut name = match &self.schema {
            Some(schema) => format!("{schema}_{}", self.table),
            None => self.table.clone(),
        };
        while name.len() > 29 {
            name.pop();
        }
        let hash = Sha256::digest(format!(
            "{}\0{}",
            self.schema.as_deref().unwrap_or_default(),
            self.table
        ));
        format!("{kind}_{name}~{}", hex(&hash[..5]))
    }

    /// The columns of the id, in the model's order.
    ///
    /// ```
    /// # use carburetor::table::{ColumnDefinition, TableDefinition};
    /// # let table = TableDefinition {
    /// #     columns: vec![ColumnDefinition { id: true, ..ColumnDefinition::new("id") }],
    /// #     ..TableDefinition::default()
    /// # };
    /// assert_eq!(table.ids().next().map(|id| id.name.as_str()), Some("id"));
    /// ```
    pub fn ids(&self) -> impl Iterator<Item = &ColumnDefinition> {
        self.columns.iter().filter(|column| column.id)
    }

    /// The columns of a downloaded row, in the model's order: neither `skip` nor `local`.
    ///
    /// ```
    /// # use carburetor::table::{ColumnDefinition, TableDefinition};
    /// # let table = TableDefinition {
    /// #     columns: vec![ColumnDefinition { skip: true, ..ColumnDefinition::new("secret") }],
    /// #     ..TableDefinition::default()
    /// # };
    /// assert_eq!(table.downloaded().count(), 0);
    /// ```
    pub fn downloaded(&self) -> impl Iterator<Item = &ColumnDefinition> {
        self.columns
            .iter()
            .filter(|column| !column.skip && !column.local)
    }

    /// The parts of an id that travelled, with their columns and those columns' numbers among the downloaded ones.
    pub(crate) fn id_parts<'a>(
        &'a self,
        id: &'a Value,
    ) -> Result<Vec<(usize, &'a ColumnDefinition, &'a Value)>, String> {
        let columns = self.downloaded().enumerate();
        let columns: Vec<_> = columns.filter(|(_, column)| column.id).collect();
        let parts = match id {
            Value::Array(parts) if columns.len() > 1 => parts.as_slice(),
            one => std::slice::from_ref(one),
        };
        if parts.len() != columns.len() {
            let count = columns.len();
            return Err(format!("expected an id of {count} parts in an array"));
        }
        let parts = columns.into_iter().zip(parts);
        Ok(parts
            .map(|((number, column), part)| (number, column, part))
            .collect())
    }

    /// Whether the rows keep registers: in tables that replicas may write and whose stamps are ours.
    pub(crate) fn has_registers(&self) -> bool {
        !self.read_only && !self.untracked
    }

    /// The columns that can have a register of their own, in the model's order: what travels, but for the id and the stamp.
    pub(crate) fn registered(&self) -> impl Iterator<Item = &ColumnDefinition> {
        self.downloaded()
            .filter(|column| !column.id && !column.last_synced_at)
    }

    /// The columns that changes of replicas write besides the id.
    #[cfg(any(feature = "postgres-backend", feature = "sqlite"))]
    pub(crate) fn written(&self) -> impl Iterator<Item = &ColumnDefinition> {
        self.registered().filter(|column| !column.read_only)
    }

    /// The columns that scopes and filters look at, in the model's order.
    ///
    /// ```
    /// # use carburetor::table::{ColumnDefinition, TableDefinition};
    /// # let table = TableDefinition {
    /// #     columns: vec![ColumnDefinition { visible_by: true, ..ColumnDefinition::new("team") }],
    /// #     ..TableDefinition::default()
    /// # };
    /// assert_eq!(table.visible_by().count(), 1);
    /// ```
    pub fn visible_by(&self) -> impl Iterator<Item = &ColumnDefinition> {
        self.columns.iter().filter(|column| column.visible_by)
    }

    /// The stamp's column.
    ///
    /// ```
    /// # use carburetor::table::{ColumnDefinition, TableDefinition};
    /// # let table = TableDefinition {
    /// #     columns: vec![ColumnDefinition { last_synced_at: true, ..ColumnDefinition::new("updated_at") }],
    /// #     ..TableDefinition::default()
    /// # };
    /// assert_eq!(table.stamp().map(|stamp| stamp.name.as_str()), Some("updated_at"));
    /// ```
    pub fn stamp(&self) -> Option<&ColumnDefinition> {
        self.columns.iter().find(|column| column.last_synced_at)
    }

    /// The quoted name of the stamp's column.
    pub(crate) fn stamp_name(&self) -> String {
        self.stamp()
            .map(ColumnDefinition::quoted)
            .unwrap_or_default()
    }

    /// The soft-delete flag, if the model has one.
    ///
    /// ```
    /// # use carburetor::table::{ColumnDefinition, TableDefinition};
    /// # let table = TableDefinition {
    /// #     columns: vec![ColumnDefinition { deleted: true, ..ColumnDefinition::new("deleted_at") }],
    /// #     ..TableDefinition::default()
    /// # };
    /// assert!(table.deleted().is_some());
    /// ```
    pub fn deleted(&self) -> Option<&ColumnDefinition> {
        self.columns.iter().find(|column| column.deleted)
    }
}

impl ColumnDefinition {
    /// A column of no particular role.
    ///
    /// ```
    /// # use carburetor::table::ColumnDefinition;
    /// assert_eq!(ColumnDefinition::new("name").name, "name");
    /// ```
    pub fn new(name: impl Into<String>) -> Self {
        ColumnDefinition {
            name: name.into(),
            ..ColumnDefinition::default()
        }
    }

    /// The quoted name.
    ///
    /// ```
    /// # use carburetor::table::ColumnDefinition;
    /// assert_eq!(ColumnDefinition::new("größe").quoted(), "\"größe\"");
    /// ```
    pub fn quoted(&self) -> String {
        quoted(&self.name)
    }
}

/// `name` as an SQL identifier, on PostgreSQL and on SQLite.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// `text` as an SQL string, on PostgreSQL (with `standard_conforming_strings`) and on SQLite.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
