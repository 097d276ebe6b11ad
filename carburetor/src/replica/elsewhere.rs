//! Edits in the file that this replica doesn't send: those of other groups, and of tables that the group no longer has.
//!
//! A program may sync several groups of a file, each by a replica of its own. Where it no longer has one of them, for instance because a group without a name of
//! its own goes by its tables' and has gained one, nobody would send what waits for that.

use super::error::ReplicaError;
use super::file::Store;
use super::query::{self, BIND, Bind, Stored, as_integer, as_text};
use crate::table::quoted;
use diesel::sqlite::SqliteConnection;

/// Edits that wait for another group, or for a table that the group no longer has.
pub(super) struct Elsewhere {
    group: String,
    table: String,
    changes: u64,
}

impl Store {
    /// How many changes wait that this replica doesn't send.
    pub(super) fn elsewhere(&self, conn: &mut SqliteConnection) -> Result<u64, ReplicaError> {
        let waiting = self.all_elsewhere(conn)?;
        Ok(waiting.iter().map(|waiting| waiting.changes).sum())
    }

    /// The tables that this group no longer has, and how many changes of each wait.
    pub(super) fn left_behind(
        &self,
        conn: &mut SqliteConnection,
    ) -> Result<Vec<(String, u64)>, ReplicaError> {
        let waiting = self.all_elsewhere(conn)?.into_iter();
        let left = waiting.filter(|waiting| waiting.group == self.group);
        Ok(left.map(|left| (left.table, left.changes)).collect())
    }

    /// Warns of each table whose edits this replica doesn't send.
    pub(super) fn tell_elsewhere(&self, conn: &mut SqliteConnection) -> Result<(), ReplicaError> {
        for waiting in self.all_elsewhere(conn)? {
            let Elsewhere {
                group,
                table,
                changes,
            } = waiting;
            tracing::warn!(
                group,
                table,
                changes,
                "edits in the file wait for a group that this replica doesn't sync: sync that one; if the program no longer has it, because its \
                 tables are others, open the present one by that name (`Replica::builder().name(..)`) with the table among its own"
            );
        }
        Ok(())
    }

    fn all_elsewhere(&self, conn: &mut SqliteConnection) -> Result<Vec<Elsewhere>, ReplicaError> {
        let mut waiting = Vec::new();
        let mut add = |group, table, count: &Stored| {
            if let Ok(changes @ 1..) = u64::try_from(as_integer(count)) {
                waiting.push(Elsewhere {
                    group,
                    table,
                    changes,
                });
            }
        };
        // The first group that had the table.
        let owners = query::rows(
            conn,
            "select name, in_group, min(seq) from carburetor_replicated as known
where exists (select 1 from sqlite_schema where name = 'carburetor_outbox_' || known.name) group by name",
            [],
        )?;
        for owner in owners {
            let (table, group) = (as_text(&owner[0]), as_text(&owner[1]));
            if self.uploaded().any(|own| own.definition.table == table) {
                continue;
            }
            let outbox = quoted(&format!("carburetor_outbox_{table}"));
            let unsent = format!(
                "select count(distinct carburetor_clock) from {outbox} where carburetor_sent <> 1"
            );
            add(group, table, &query::value(conn, &unsent, [])?);
        }
        for (of, table) in [
            ("carburetor_sending", "of_table"),
            ("carburetor_held_change", "'(held by a hub)'"),
        ] {
            // Around the group in the index: its own changes may be many, and this is asked after every upload.
            let sent = format!(
                "select in_group, {table}, count(*) from {of} where in_group < {BIND} or in_group > {BIND} group by 1, 2"
            );
            let own = [&self.group, &self.group].map(Bind::text);
            for sent in query::rows(conn, &sent, own)? {
                add(as_text(&sent[0]), as_text(&sent[1]), &sent[2]);
            }
        }
        Ok(waiting)
    }
}
