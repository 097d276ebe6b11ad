//! The file of a replica: opened, checked, and told from its copies.

use super::check::check;
use super::clock;
use super::error::ReplicaError;
use super::hub;
use super::query::{self, BIND, Bind, as_integer, as_text};
use super::relay;
use super::schema;
use super::table::ReplicaTable;
use super::triggers::{nobodys, triggers};
use crate::connection::transact_alone;
use crate::table::{literal, quoted};
use diesel::QueryResult;
use diesel::connection::{Connection, SimpleConnection};
use diesel::sqlite::SqliteConnection;
use std::path::Path;

/// One group in one file.
pub(super) struct Store {
    pub(super) tables: Vec<ReplicaTable>,
    pub(super) group: String,
    /// Whose the file was when it was opened.
    pub(super) account: String,
}

/// A connection as a replica needs it: readers and a writer don't wait for each other, and two writers do.
pub(super) fn connect(path: &str) -> Result<SqliteConnection, ReplicaError> {
    let mut conn = SqliteConnection::establish(path)?;
    conn.batch_execute(
        "pragma busy_timeout = 10000; pragma journal_mode = wal; pragma synchronous = normal",
    )?;
    Ok(conn)
}

impl Store {
    /// What a hub commits is on disk before a device is told so, and forgets its change. A device's own file may lose its last moments: it sends them again.
    pub(super) fn settle_on_disk(&self, conn: &mut SqliteConnection) -> QueryResult<()> {
        match self.is_hub() {
            true => conn.batch_execute("pragma synchronous = full"),
            false => Ok(()),
        }
    }

    /// The table of this name on the wire, if the group has it.
    pub(super) fn table(&self, name: &str) -> Option<&ReplicaTable> {
        self.tables
            .iter()
            .find(|table| table.definition.wire_name == name)
    }

    /// The tables whose edits go with the group.
    pub(super) fn uploaded(&self) -> impl Iterator<Item = &ReplicaTable> {
        let of_group = |table: &&ReplicaTable| table.is_uploaded_by(&self.group);
        self.tables.iter().filter(of_group)
    }

    /// The file serves other devices, too.
    pub(super) fn is_hub(&self) -> bool {
        self.tables.iter().any(|table| table.is_hub)
    }

    /// Makes or checks the tables and triggers of the group.
    pub(super) fn open(
        &mut self,
        conn: &mut SqliteConnection,
        path: &str,
    ) -> Result<(), ReplicaError> {
        transact_alone(conn, |conn| {
            schema::share(conn)?;
            query::execute(
                conn,
                &format!(
                    "insert or ignore into carburetor_group (name, account) values ({BIND}, {BIND})"
                ),
                [&self.group, &self.account].map(Bind::text),
            )?;
            for table in &mut self.tables {
                check(conn, table)?;
                schema::install(conn, table, &self.group)?;
            }
            for table in &self.tables {
                match self.is_nobodys(conn, table)? {
                    true => refuse_all(conn, table)?,
                    false => arm(conn, table)?,
                }
            }
            self.belong(conn)?;
            self.read_again(conn)?;
            self.recognise(conn, path)
        })
    }

    /// A copied file takes an id of its own: two replicas with one id would take each other's outcomes.
    fn recognise(&self, conn: &mut SqliteConnection, path: &str) -> Result<(), ReplicaError> {
        let (file, former) = identity(Path::new(path));
        let known = as_text(&query::value(
            conn,
            "select file from carburetor_replica",
            [],
        )?);
        if known == file {
            return Ok(());
        }
        if !known.is_empty() && Some(known) != former {
            clock::rename(conn, self)?;
            hub::renew(conn, self)?;
        }
        query::execute(
            conn,
            &format!("update carburetor_replica set file = {BIND}"),
            [Bind::text(file)],
        )?;
        Ok(())
    }

    /// How many changes the server hasn't decided on.
    pub(super) fn pending(&self, conn: &mut SqliteConnection) -> Result<u64, ReplicaError> {
        let mut counts = vec![format!(
            "(select count(*) from carburetor_sending where in_group = {group}) + (select count(*) from carburetor_held_change where in_group = {group})",
            group = literal(&self.group)
        )];
        counts.extend(self.uploaded().map(|table| {
            format!(
                "(select count(distinct carburetor_clock) from {} where carburetor_sent <> 1)",
                table.own("outbox")
            )
        }));
        let count = query::value(conn, &format!("select {}", counts.join(" + ")), [])?;
        Ok(u64::try_from(as_integer(&count)).unwrap_or(0))
    }
}

/// The name and the text of every trigger of a replica that the table has.
fn known(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
) -> Result<Vec<(String, String)>, ReplicaError> {
    let known = query::rows(
        conn,
        &format!(
            "select name, sql from sqlite_schema where type = 'trigger' and lower(tbl_name) = lower({BIND}) and substr(name, 1, 19) = 'carburetor_replica_' order by rowid"
        ),
        [Bind::text(&table.definition.table)],
    )?;
    let texts = known.iter().map(|row| (as_text(&row[0]), as_text(&row[1])));
    Ok(texts.collect())
}

/// Writes as what the server said, without the triggers, which the caller's transaction hides from everybody else.
pub(super) fn disarmed(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    write: impl FnOnce(&mut SqliteConnection) -> QueryResult<()>,
) -> Result<(), ReplicaError> {
    let triggers = known(conn, table)?;
    for (name, _) in &triggers {
        conn.batch_execute(&format!("drop trigger {}", quoted(name)))?;
    }
    write(conn)?;
    for (_, text) in &triggers {
        conn.batch_execute(text)?;
    }
    Ok(())
}

/// Makes the triggers that record what is edited.
fn arm(conn: &mut SqliteConnection, table: &ReplicaTable) -> Result<(), ReplicaError> {
    make(conn, table, &triggers(table))?;
    match table.is_hub && !table.takes_no_writes() {
        true => Ok(relay::arm(conn, table)?),
        false => Ok(()),
    }
}

/// Makes the triggers that refuse what would be nobody's edit.
pub(super) fn refuse_all(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
) -> Result<(), ReplicaError> {
    make(conn, table, &nobodys(table))
}

/// Makes the triggers as they have to be; those that are so already are left alone.
fn make(
    conn: &mut SqliteConnection,
    table: &ReplicaTable,
    wanted: &[(String, String)],
) -> Result<(), ReplicaError> {
    let known = known(conn, table)?;
    for trigger in known.iter().filter(|trigger| !wanted.contains(trigger)) {
        conn.batch_execute(&format!("drop trigger {}", quoted(&trigger.0)))?;
    }
    for trigger in wanted.iter().filter(|trigger| !known.contains(trigger)) {
        conn.batch_execute(&trigger.1)?;
    }
    Ok(())
}

/// What tells the file from its copies, and what did so in files of earlier versions. A copy is made later than the file, on whatever device; a file that is
/// moved, or mounted again, is not made anew. A false alarm costs a new id, no edit and no time of one.
fn identity(path: &Path) -> (String, Option<String>) {
    let Ok(found) = std::fs::metadata(path) else {
        return (path.to_string_lossy().into_owned(), None);
    };
    let made = found.created().ok();
    let made = made.and_then(|made| made.duration_since(std::time::UNIX_EPOCH).ok());
    let former = former(path, &found);
    match made {
        Some(made) => (format!("made {}", made.as_nanos()), former),
        None => (number(&found).unwrap_or_else(|| absolute(path)), former),
    }
}

fn absolute(path: &Path) -> String {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    absolute.to_string_lossy().into_owned()
}

/// The number of the file, where the system doesn't say when it was made.
#[cfg(unix)]
fn number(found: &std::fs::Metadata) -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    Some(format!("number {}", found.ino()))
}

#[cfg(unix)]
fn former(_path: &Path, found: &std::fs::Metadata) -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    Some(format!("{}:{}", found.dev(), found.ino()))
}

#[cfg(not(unix))]
fn number(_found: &std::fs::Metadata) -> Option<String> {
    None
}

#[cfg(not(unix))]
fn former(path: &Path, _found: &std::fs::Metadata) -> Option<String> {
    Some(absolute(path))
}
