//! Migrations of SQLite.

use crate::connection::SyncConnection;
use crate::table::TableDefinition;
use crate::tracking::install::sqlite::{additions, present, refuse, tracked};
use crate::tracking::installed::line;
use crate::tracking::merge::disagreements;
use crate::tracking::runner::{Blocking, complete};
use crate::tracking::sqlite::{difference, down, forget, up};
use crate::tracking::{Installed, Tracking, TrackingError};
use diesel::QueryResult;
use diesel::sqlite::Sqlite;

impl Tracking<Sqlite> {
    /// The migration that tracks the tables; it runs in a transaction.
    ///
    /// The text depends on the unique keys and triggers of the tables, so it is printed from a database that has them, and again when they
    /// change; [`verify`](Tracking::verify) says when.
    ///
    /// ```
    /// # use carburetor::{table::{ColumnDefinition, Storage, TableDefinition}, tracking::Tracking};
    /// # use diesel::{connection::SimpleConnection, prelude::*, sqlite::Sqlite};
    /// # let notes = TableDefinition { table: "notes".into(), columns: vec![
    /// #     ColumnDefinition { id: true, ..ColumnDefinition::new("id") },
    /// #     ColumnDefinition { last_synced_at: true, storage: Storage::Integer, ..ColumnDefinition::new("stamp") }], ..Default::default() };
    /// let mut conn = SqliteConnection::establish(":memory:")?;
    /// conn.batch_execute("create table notes (id integer primary key)")?;
    /// let up_sql = Tracking::<Sqlite>::of([notes]).up_sql(&mut conn)?;
    /// assert!(up_sql.contains(r#"alter table "notes" add column "stamp""#));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Refused`](TrackingError::Refused) with everything that keeps tables from being tracked, and failed queries.
    pub fn up_sql<C>(&self, conn: &mut C) -> Result<String, TrackingError>
    where
        C: SyncConnection<Backend = Sqlite>,
    {
        let problems = disagreements(self.definitions());
        if !problems.is_empty() {
            return Err(TrackingError::Refused(problems));
        }
        let runner = &mut Blocking(conn);
        complete(refuse(runner, self.definitions()))?;
        let mut text = line(self.definitions());
        for statement in complete(additions(runner, self.definitions()))? {
            text += &format!("{statement};\n");
        }
        let tables = complete(tracked(runner, self.definitions()))?;
        match self.installed() {
            None => text += &up(&tables),
            Some(installed) => {
                let (mut old, gone) = self.kept(installed);
                let (present, vanished) = complete(present(runner, gone))?;
                text.extend(vanished.iter().map(forget));
                old.extend(present);
                text += &difference(&old, &tables);
            }
        }
        Ok(text)
    }

    /// The installed definitions of tables that are still among these, and the others.
    fn kept(&self, installed: &Installed) -> (Vec<TableDefinition>, Vec<TableDefinition>) {
        let installed = installed.definitions().iter().cloned();
        installed.partition(|old| self.definitions().iter().any(|new| new.key() == old.key()))
    }

    /// The way back: the tables are no longer tracked, or as they were at [`since`](Tracking::since). Stamps stay.
    ///
    /// ```
    /// # use carburetor::tracking::Tracking;
    /// # use diesel::{Connection, SqliteConnection, sqlite::Sqlite};
    /// let mut conn = SqliteConnection::establish(":memory:")?;
    /// assert_eq!(Tracking::<Sqlite>::of([]).down_sql(&mut conn)?, "");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// A failed query.
    pub fn down_sql<C>(&self, conn: &mut C) -> QueryResult<String>
    where
        C: SyncConnection<Backend = Sqlite>,
    {
        Ok(match self.installed() {
            None => down(self.definitions()),
            Some(installed) => {
                let before = complete(tracked(&mut Blocking(conn), installed.definitions()))?;
                let back = difference(self.definitions(), &before);
                format!("{}{back}", line(installed.definitions()))
            }
        })
    }
}
