//! Migrations of PostgreSQL.

use crate::table::{TableDefinition, literal};
use crate::tracking::installed::line;
use crate::tracking::merge::disagreements;
use crate::tracking::postgres::{Up, difference, down, grants, notify, up, upload_grants};
use crate::tracking::{Installed, Tracking};
use diesel::pg::Pg;
use std::fmt;

impl Tracking<Pg> {
    /// The migration that tracks the tables, without their indexes; it runs in a transaction.
    ///
    /// ```
    /// # use carburetor::{table::{ColumnDefinition, Storage, TableDefinition}, tracking::Tracking};
    /// # let users = TableDefinition { table: "users".into(), columns: vec![
    /// #     ColumnDefinition { id: true, ..ColumnDefinition::new("id") },
    /// #     ColumnDefinition { last_synced_at: true, storage: Storage::Timestamptz, ..ColumnDefinition::new("updated_at") }], ..Default::default() };
    /// let tracking = Tracking::<diesel::pg::Pg>::of([users]);
    /// assert!(tracking.up_sql().contains(r#"create or replace trigger "~carburetor_stamp""#));
    /// assert!(!tracking.up_sql().contains(r#"create index if not exists "carburetor_users""#));
    /// ```
    pub fn up_sql(&self) -> String {
        let Up { schema, tables, .. } = self.up();
        let mut text = self.head();
        for part in [schema].into_iter().chain(tables) {
            text += &part;
            text += "\n";
        }
        text
    }

    /// The indexes, built beside the writers: each statement alone in a migration that doesn't run in a transaction
    /// (`run_in_transaction = false` in its `metadata.toml`). A partitioned table takes the plain statement, which [`to_string`](ToString::to_string) has.
    ///
    /// ```
    /// # use carburetor::{table::{ColumnDefinition, Storage, TableDefinition}, tracking::Tracking};
    /// # let users = TableDefinition { table: "users".into(), columns: vec![
    /// #     ColumnDefinition { id: true, ..ColumnDefinition::new("id") },
    /// #     ColumnDefinition { last_synced_at: true, storage: Storage::Timestamptz, ..ColumnDefinition::new("updated_at") }], ..Default::default() };
    /// assert_eq!(
    ///     Tracking::<diesel::pg::Pg>::of([users]).index_sql(),
    ///     [r#"create index concurrently if not exists "carburetor_users" on "users" ("updated_at", "id");"#],
    /// );
    /// ```
    pub fn index_sql(&self) -> Vec<String> {
        let indexes = self.up().indexes.into_iter();
        indexes.map(|index| index.concurrently).collect()
    }

    /// The way back: the tables are no longer tracked, or as they were at [`since`](Tracking::since). Stamps stay.
    ///
    /// ```
    /// # use carburetor::tracking::Tracking;
    /// assert!(Tracking::<diesel::pg::Pg>::of([]).down_sql().contains("drop schema carburetor"));
    /// ```
    pub fn down_sql(&self) -> String {
        match self.installed() {
            None => down(&self.tables()),
            Some(installed) => {
                let back = difference(&self.tables(), &references(installed.definitions()));
                format!("{}{back}", line(installed.definitions()))
            }
        }
    }

    /// What lets the role `role` download. Roles that only write the tables need nothing.
    ///
    /// ```
    /// # use carburetor::tracking::Tracking;
    /// assert!(Tracking::<diesel::pg::Pg>::of([]).grants_sql("web").contains(r#"to "web";"#));
    /// ```
    pub fn grants_sql(&self, role: &str) -> String {
        grants(&self.tables(), role)
    }

    /// What lets the role `role` download and upload, besides its rights on the tables themselves.
    ///
    /// ```
    /// # use carburetor::tracking::Tracking;
    /// assert!(Tracking::<diesel::pg::Pg>::of([]).upload_grants_sql("web").contains("carburetor.outcome"));
    /// ```
    pub fn upload_grants_sql(&self, role: &str) -> String {
        upload_grants(&self.tables(), role)
    }

    /// Triggers that notify a server of commits, for one that waits for that instead of asking
    /// ([`Notified`](https://docs.rs/carburetor/latest/carburetor/server/struct.Notified.html)). Whoever may write the tables may notify; nothing else uses them.
    ///
    /// ```
    /// # use carburetor::tracking::Tracking;
    /// assert!(Tracking::<diesel::pg::Pg>::of([]).notify_sql().contains("pg_notify"));
    /// ```
    pub fn notify_sql(&self) -> String {
        notify(&self.tables())
    }

    fn up(&self) -> Up {
        match self.installed().map(Installed::definitions) {
            None => up(&self.tables()),
            Some(installed) => difference(&references(installed), &self.tables()),
        }
    }

    /// The definitions, and what stops a migration that can't be right.
    fn head(&self) -> String {
        let mut head = line(self.definitions());
        for problem in disagreements(self.definitions()) {
            let raise = format!(
                "begin raise exception using message = {}; end",
                literal(&problem.to_string())
            );
            head += &format!("do {};\n", literal(&raise));
        }
        head
    }

    fn tables(&self) -> Vec<&TableDefinition> {
        references(self.definitions())
    }
}

/// Everything for one migration, with comments: what [`up_sql`](Tracking::up_sql) returns, then the indexes, for which writers wait.
impl fmt::Display for Tracking<Pg> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.head(), self.up())
    }
}

fn references(definitions: &[TableDefinition]) -> Vec<&TableDefinition> {
    definitions.iter().collect()
}
