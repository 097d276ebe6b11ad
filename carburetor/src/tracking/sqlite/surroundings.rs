//! What the SQL of a tracked table depends on beyond the model: its unique keys, and the application's own triggers.

use crate::table::{TableDefinition, literal, quoted};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A synced table with what a database says about it.
///
/// ```
/// use carburetor::table::TableDefinition;
/// use carburetor::tracking::sqlite::{Surroundings, TrackedTable};
/// let definition = TableDefinition { table: "t".into(), ..Default::default() };
/// let read = r#"{"unique_keys":[{"columns":[{"name":"email","collation":"NOCASE"}]}],"own_triggers":1}"#;
/// let table = TrackedTable { definition, surroundings: serde_json::from_str(read)? };
/// assert_eq!(table.surroundings.own_triggers, 1);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrackedTable {
    /// The model.
    pub definition: TableDefinition,
    /// What the database says; read it with the query [`surroundings`].
    pub surroundings: Surroundings,
}

/// The answer of the query [`surroundings`], which is JSON.
///
/// ```
/// use carburetor::tracking::sqlite::Surroundings;
/// assert!(Surroundings::default().unique_keys.is_empty());
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Surroundings {
    /// By what a row may be replaced, besides its id.
    #[serde(default)]
    pub unique_keys: Vec<UniqueKey>,
    /// How many triggers of the application may fire on an update of the table.
    #[serde(default)]
    pub own_triggers: usize,
    /// The declared type of each column, by its name.
    #[serde(default)]
    pub types: BTreeMap<String, String>,
    /// The generated columns, which change without being named by an update.
    #[serde(default)]
    pub generated: Vec<String>,
}

impl Surroundings {
    /// The declared type of the column, which may be empty.
    pub(super) fn declared_type(&self, column: &str) -> &str {
        let mut types = self.types.iter();
        types
            .find(|(name, _)| name.eq_ignore_ascii_case(column))
            .map_or("", |(_, declared)| declared)
    }
}

/// The columns of a primary key, UNIQUE constraint or unique index.
///
/// A partial index counts as if it covered every row: what is written too much, a download leaves out again, because
/// the row is still visible.
///
/// ```
/// use carburetor::tracking::sqlite::{KeyColumn, UniqueKey};
/// let key = UniqueKey { columns: vec![KeyColumn { name: "email".into(), collation: "BINARY".into() }] };
/// assert_eq!(key.columns.len(), 1);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UniqueKey {
    /// In the key's order.
    pub columns: Vec<KeyColumn>,
}

/// A column of a [`UniqueKey`].
///
/// ```
/// use carburetor::tracking::sqlite::KeyColumn;
/// let column = KeyColumn { name: "email".into(), collation: "NOCASE".into() };
/// assert_eq!(column.name, "email");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyColumn {
    /// The column's name.
    pub name: String,
    /// By which values count as equal.
    pub collation: String,
}

/// A query with one row and one column `surroundings`, the JSON of [`Surroundings`].
///
/// ```
/// # use carburetor::table::TableDefinition;
/// # let table = TableDefinition { table: "t".into(), ..Default::default() };
/// assert!(carburetor::tracking::sqlite::surroundings(&table).starts_with("select json_object("));
/// ```
pub fn surroundings(table: &TableDefinition) -> String {
    let name = literal(&table.table);
    let own_triggers = own_triggers(table);
    format!(
        "select json_object(
  'unique_keys', (
    select json_group_array(json_object('columns', json(columns))) from (
      select key_name, columns from (
        select i.name as key_name, (select json_group_array(json_object('name', x.name, 'collation', x.coll))
          from (select * from pragma_index_xinfo(i.name) order by seqno) as x where x.key = 1) as columns
        from pragma_index_list({name}) as i
        where i.\"unique\" = 1 and not exists (select 1 from pragma_index_xinfo(i.name) as e where e.key = 1 and e.name is null)
        union
        select '' as key_name, (select json_group_array(json_object('name', p.name, 'collation', 'BINARY'))
          from (select * from pragma_table_xinfo({name}) where pk > 0 order by pk) as p)
        where exists (select 1 from pragma_table_xinfo({name}) where pk > 0)
          and not exists (select 1 from pragma_index_list({name}) as i where i.origin = 'pk')
      ) order by key_name
    )
  ),
  'own_triggers', ({own_triggers}),
  'types', (select json_group_object(name, type) from pragma_table_xinfo({name}) where hidden = 0),
  'generated', (select json_group_array(name) from pragma_table_xinfo({name}) where hidden in (2, 3))
) as surroundings"
    )
}

/// Counts the application's triggers that an update of the stamp may fire; a text without the word can't be one.
pub(super) fn own_triggers(table: &TableDefinition) -> String {
    format!(
        "select count(*) from sqlite_schema where type = 'trigger' and tbl_name = {} collate nocase
    and name not like 'carburetor~_%' escape '~' and sql like '%update%'",
        literal(&table.table)
    )
}

impl TrackedTable {
    /// A table without unique keys besides its id, and without triggers of the application.
    ///
    /// ```
    /// # use carburetor::table::TableDefinition;
    /// # let definition = TableDefinition { table: "t".into(), ..Default::default() };
    /// let table = carburetor::tracking::sqlite::TrackedTable::new(definition);
    /// assert_eq!(table.surroundings.own_triggers, 0);
    /// ```
    pub fn new(definition: TableDefinition) -> Self {
        TrackedTable {
            definition,
            surroundings: Surroundings::default(),
        }
    }

    pub(super) fn name(&self) -> String {
        quoted(&self.definition.table)
    }

    /// `carburetor_<what>_<table>`, unquoted.
    pub(super) fn object(&self, what: &str) -> String {
        object(&self.definition, what)
    }
}

/// `carburetor_<what>_<table>`, unquoted.
pub(super) fn object(table: &TableDefinition, what: &str) -> String {
    format!("carburetor_{what}_{}", table.table)
}
