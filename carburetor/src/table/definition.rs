//! What is known of a synced table without a connection: its names, its columns, and the role of each column.

use serde::{Deserialize, Serialize};

/// A synced table as plain values, made by `#[derive(SyncTable)]` for one backend.
///
/// ```
/// use carburetor::table::{ColumnDefinition, TableDefinition};
/// let games = TableDefinition {
///     wire_name: "games".into(),
///     schema: Some("play".into()),
///     table: "games".into(),
///     untracked: false,
///     columns: vec![ColumnDefinition { id: true, ..ColumnDefinition::new("id") }],
/// };
/// assert_eq!(games.sql_name(), r#""play"."games""#);
/// assert_eq!(games.key(), "play.games");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableDefinition {
    /// The table's name on the wire.
    pub wire_name: String,
    /// The schema that the `table!` names, if it names one.
    pub schema: Option<String>,
    /// The table's name in the database.
    pub table: String,
    /// `#[sync(untracked)]`: on PostgreSQL the application keeps the stamp, not our trigger.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub untracked: bool,
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
    /// How the value is stored, where that decides how SQL treats it.
    pub storage: Storage,
}

/// How a column is stored, as far as the library's own SQL must know it.
///
/// ```
/// use carburetor::table::Storage;
/// assert_eq!(Storage::default(), Storage::Other);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Anything else.
    #[default]
    Other,
}

impl TableDefinition {
    /// The table's quoted name, with its schema if the model names one.
    ///
    /// ```
    /// # use carburetor::table::TableDefinition;
    /// let table = TableDefinition { wire_name: "t".into(), schema: None, table: "a\"b".into(), untracked: false, columns: vec![] };
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
    /// let table = TableDefinition { wire_name: "t".into(), schema: None, table: "users".into(), untracked: false, columns: vec![] };
    /// assert_eq!(table.key(), "users");
    /// ```
    pub fn key(&self) -> String {
        match &self.schema {
            Some(schema) => format!("{schema}.{}", self.table),
            None => self.table.clone(),
        }
    }

    /// The columns of the id, in the model's order.
    ///
    /// ```
    /// # use carburetor::table::{ColumnDefinition, TableDefinition};
    /// # let table = TableDefinition { wire_name: "t".into(), schema: None, table: "t".into(), untracked: false,
    /// #     columns: vec![ColumnDefinition { id: true, ..ColumnDefinition::new("id") }] };
    /// assert_eq!(table.ids().next().map(|id| id.name.as_str()), Some("id"));
    /// ```
    pub fn ids(&self) -> impl Iterator<Item = &ColumnDefinition> {
        self.columns.iter().filter(|column| column.id)
    }

    /// The columns that scopes and filters look at, in the model's order.
    ///
    /// ```
    /// # use carburetor::table::{ColumnDefinition, TableDefinition};
    /// # let table = TableDefinition { wire_name: "t".into(), schema: None, table: "t".into(), untracked: false,
    /// #     columns: vec![ColumnDefinition { visible_by: true, ..ColumnDefinition::new("team") }] };
    /// assert_eq!(table.visible_by().count(), 1);
    /// ```
    pub fn visible_by(&self) -> impl Iterator<Item = &ColumnDefinition> {
        self.columns.iter().filter(|column| column.visible_by)
    }

    /// The stamp's column.
    ///
    /// ```
    /// # use carburetor::table::{ColumnDefinition, TableDefinition};
    /// # let table = TableDefinition { wire_name: "t".into(), schema: None, table: "t".into(), untracked: false,
    /// #     columns: vec![ColumnDefinition { last_synced_at: true, ..ColumnDefinition::new("updated_at") }] };
    /// assert_eq!(table.stamp().map(|stamp| stamp.name.as_str()), Some("updated_at"));
    /// ```
    pub fn stamp(&self) -> Option<&ColumnDefinition> {
        self.columns.iter().find(|column| column.last_synced_at)
    }

    /// The soft-delete flag, if the model has one.
    ///
    /// ```
    /// # use carburetor::table::{ColumnDefinition, TableDefinition};
    /// # let table = TableDefinition { wire_name: "t".into(), schema: None, table: "t".into(), untracked: false,
    /// #     columns: vec![ColumnDefinition { deleted: true, ..ColumnDefinition::new("deleted_at") }] };
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
