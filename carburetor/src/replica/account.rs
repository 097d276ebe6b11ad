//! Whose rows and edits the file holds.

use super::error::ReplicaError;
use super::file::{Store, refuse_all};
use super::query::{self, BIND, Bind, as_text};
use super::refused;
use super::returning;
use super::show::{DOWNLOADED, show_all};
use super::shown;
use super::table::ReplicaTable;
use super::token;
use crate::connection::transact_alone;
use crate::table::literal;
use diesel::QueryResult;
use diesel::connection::{Connection, SimpleConnection};
use diesel::sqlite::SqliteConnection;

/// Nobody's account: the file has none of this name, because a person's would have to be guessed.
const NOBODY: &str = "lower(hex(randomblob(16)))";

impl Store {
    /// Makes the file the account's. Another one's rows go at once, so that nobody sees them while there is no network; what
    /// that one has not uploaded keeps the file.
    pub(super) fn belong(&self, conn: &mut SqliteConnection) -> Result<(), ReplicaError> {
        let known = self.owner(conn)?;
        if known == self.account {
            return Ok(());
        }
        if self.unanswered(conn)? > 0 {
            return Err(ReplicaError::OtherAccount { account: known });
        }
        self.empty(conn)?;
        self.leave_to(conn, &literal(&self.account))
    }

    /// Runs `work` on what the file holds at one instant, if it is still the account's.
    pub(super) fn read<T>(
        &self,
        conn: &mut SqliteConnection,
        work: impl FnOnce(&Self, &mut SqliteConnection) -> Result<T, ReplicaError>,
    ) -> Result<T, ReplicaError> {
        conn.transaction(|conn| {
            self.still_belongs(conn)?;
            work(self, conn)
        })
    }

    /// Runs `work` in a transaction that may write, if the file is still the account's.
    pub(super) fn transact<T>(
        &self,
        conn: &mut SqliteConnection,
        work: impl FnOnce(&Self, &mut SqliteConnection) -> Result<T, ReplicaError>,
    ) -> Result<T, ReplicaError> {
        transact_alone(conn, |conn| {
            self.still_belongs(conn)?;
            work(self, conn)
        })
    }

    /// Fails if the file has become another account's since it was opened.
    pub(super) fn still_belongs(&self, conn: &mut SqliteConnection) -> Result<(), ReplicaError> {
        match self.owner(conn)? == self.account {
            true => Ok(()),
            false => Err(ReplicaError::SignedOut {
                account: self.account.clone(),
            }),
        }
    }

    /// Removes what the account has in the file. It is nobody's then, and takes no writes: they would be the next account's, or keep it out.
    pub(super) fn sign_out(&self, conn: &mut SqliteConnection) -> Result<(), ReplicaError> {
        self.serves_nobody()?;
        match self.unanswered(conn)? {
            0 => {}
            changes => return Err(ReplicaError::Pending { changes }),
        }
        for told in ["carburetor_rejected", "carburetor_met"] {
            let forget = format!("delete from {told} where in_group = {BIND} and account = {BIND}");
            query::execute(conn, &forget, [&self.group, &self.account].map(Bind::text))?;
        }
        self.empty(conn)?;
        self.leave_to(conn, NOBODY)?;
        let nobodys = format!("update carburetor_group set signed_out = 1 where name = {BIND}");
        query::execute(conn, &nobodys, [Bind::text(&self.group)])?;
        self.uploaded()
            .try_for_each(|table| refuse_all(conn, table))
    }

    /// Whether what is edited in the table would be nobody's, because the group it goes with is signed out. The group that is being opened is somebody's.
    pub(super) fn is_nobodys(
        &self,
        conn: &mut SqliteConnection,
        table: &ReplicaTable,
    ) -> Result<bool, ReplicaError> {
        if table.owner == self.group || table.takes_no_writes() {
            return Ok(false);
        }
        let signed_out =
            format!("select 1 from carburetor_group where name = {BIND} and signed_out = 1");
        Ok(query::exists(
            conn,
            &signed_out,
            [Bind::text(&table.owner)],
        )?)
    }

    /// Forgets what the program has edited and the server has not answered, and returns how many changes that were. The rows are
    /// what the server shows with the next download, also those that only other groups show.
    pub(super) fn discard_pending(&self, conn: &mut SqliteConnection) -> Result<u64, ReplicaError> {
        self.serves_nobody()?;
        let changes = self.unanswered(conn)?;
        self.discard_left(conn)?;
        for table in self.uploaded().filter(|table| !table.takes_no_writes()) {
            let (outbox, below) = (table.own("outbox"), table.own("below"));
            conn.batch_execute(&format!("delete from {outbox}; delete from {below}"))?;
            token::forget_of(conn, table)?;
        }
        for waiting in ["carburetor_sending", "carburetor_held_change"] {
            let forget = format!("delete from {waiting} where in_group = {BIND}");
            query::execute(conn, &forget, [Bind::text(&self.group)])?;
        }
        token::forget(conn, &self.group)?;
        Ok(changes)
    }

    fn owner(&self, conn: &mut SqliteConnection) -> Result<String, ReplicaError> {
        let owner = format!("select account from carburetor_group where name = {BIND}");
        Ok(as_text(&query::value(
            conn,
            &owner,
            [Bind::text(&self.group)],
        )?))
    }

    fn serves_nobody(&self) -> Result<(), ReplicaError> {
        match self.is_hub() {
            true => Err(ReplicaError::Hub),
            false => Ok(()),
        }
    }

    /// Removes the rows that only this group shows, and what has come of a download.
    fn empty(&self, conn: &mut SqliteConnection) -> Result<(), ReplicaError> {
        for table in &self.tables {
            let (rows, gone) = (table.staged(DOWNLOADED.rows), table.staged(DOWNLOADED.gone));
            conn.batch_execute(&format!(
                "delete from {rows}; delete from {gone}; insert into {gone} ({ids}) select {ids} from {name}",
                ids = table.ids(""),
                name = table.name(),
            ))?;
            returning::forget(conn, &table.definition.table)?;
            // What stays would be the next account's.
            let removed = show_all(conn, self, table, DOWNLOADED);
            removed.map_err(|error| match refused::why(&error) {
                Some(said) => {
                    let problem = format!(
                        "the rows of the account can't be removed: {said}; let them go, for example by a trigger that lets deletions pass"
                    );
                    ReplicaError::table(table.definition, problem)
                }
                None => error,
            })?;
            shown::forget_all(conn, table, &self.group)?;
            // Whole rows and values of the account lie beside the table, too: what could not be shown, what was
            // to go, and the row that was replaced last.
            forget_beside(conn, &table.place(DOWNLOADED.rows))?;
            conn.batch_execute(&format!("delete from {}", table.own("held")))?;
        }
        self.empty_former(conn)
    }

    /// `account` is an SQL expression.
    fn leave_to(&self, conn: &mut SqliteConnection, account: &str) -> Result<(), ReplicaError> {
        token::forget(conn, &self.group)?;
        let group = || [Bind::text(&self.group)];
        let keys = format!("delete from carburetor_keys where in_group = {BIND}");
        query::execute(conn, &keys, group())?;
        let others = format!(
            "update carburetor_group set account = {account}, signed_out = 0, scope = null, confirmed = null, synced_ms = null where name = {BIND}"
        );
        query::execute(conn, &others, group())?;
        Ok(())
    }
}

/// Forgets what could not be shown of the rows that were staged at `place`, and what was to go.
pub(super) fn forget_beside(conn: &mut SqliteConnection, place: &str) -> QueryResult<()> {
    for kept in [
        "carburetor_unreadable",
        "carburetor_stage_reset",
        "carburetor_stage_left",
    ] {
        let forget = format!("delete from {kept} where of_table = {BIND}");
        query::execute(conn, &forget, [Bind::text(place)])?;
    }
    Ok(())
}
