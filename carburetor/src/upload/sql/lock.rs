//! Locking rows, where the database locks them one by one.
//!
//! A row that is deleted and inserted again while somebody waits for it is not there for who waited: what he had seen is gone, and what came is not
//! in his statement's snapshot. And where there is no row, no lock of it keeps two changes of its id apart. So the deletions of all ids are locked
//! after the rows: whoever inserts a row again has its deletion first. Then rows that weren't there are looked for once more, in a statement that sees
//! what was committed meanwhile. If one is there by now, everything begins anew rather than that it is waited for: its next writer may delete it, with
//! the row locked that this one waits for, and wait for the deletion that is locked here.

use super::{Id, names, of_ids, same_id};
use crate::connection::runner::Runner;
use crate::upload::UploadBackend;
use crate::upload::admit::Admitted;
use crate::upload::decide::{Held, Kind};
use crate::upload::found::Found;
use crate::upload::session::{Failure, Session};

impl<R: Runner> Session<'_, '_, R> {
    /// Locks the rows of all `changes` that exist and the deletions of all of them, in one order for all uploads: tables, then ids.
    pub(in crate::upload) async fn lock_rows(
        &mut self,
        changes: &[Admitted<'_, R::Backend>],
    ) -> Result<(), Failure> {
        if R::Backend::LOCK_ROWS.is_none() {
            return Ok(());
        }
        for table in self.order.clone() {
            let of_table = changes.iter().filter(|change| change.table == table);
            let mut first: Vec<_> = of_table.collect();
            first.sort_by(|one, other| one.key.cmp(&other.key));
            first.dedup_by(|one, other| one.key == other.key);
            let locked = self.look(table, &first).await?;
            for (change, found) in first.into_iter().zip(locked) {
                self.locked[change.at] = Some(found);
            }
        }
        Ok(())
    }

    /// Locks the rows of `changes`, each another one of one table, and their deletions; says what they are like.
    pub(super) async fn lock(
        &mut self,
        table: usize,
        changes: &[&Admitted<'_, R::Backend>],
        [deleting, keeping]: [&str; 2],
    ) -> Result<Vec<Found>, Failure> {
        let ids: Vec<_> = changes.iter().map(|change| change.id.as_slice()).collect();
        // One kind of lock for all rows of the table: in two statements they would be taken in another order.
        let deletes = changes.iter().any(|change| change.kind == Kind::Delete);
        let kind = if deletes { deleting } else { keeping };
        let mut found = self.lock_stored(table, &ids, kind).await?;
        self.lock_deleted(table, &ids, keeping, &mut found).await?;
        let is_gone = |found: &Found| !found.is_stored && matches!(found.held, Held::Gone(_));
        // An id without a deletion had no row that could have gone meanwhile.
        let gone = ids.iter().zip(&found);
        let gone: Vec<_> = gone
            .filter(|(_, found)| is_gone(found))
            .map(|(id, _)| *id)
            .collect();
        match gone.is_empty() || !self.is_any_stored(table, &gone).await? {
            true => Ok(found),
            false => Err(Failure::Raced(table, Vec::new())),
        }
    }

    /// Whether a row with one of these ids is there.
    async fn is_any_stored(
        &mut self,
        table: usize,
        ids: &[Id<'_, R::Backend>],
    ) -> Result<bool, Failure> {
        let definition = self.tables[table].definition;
        let name = names(definition)?.name;
        let (mut statement, _) =
            of_ids::<R::Backend>(definition, ids).statement(self.around.types(table));
        statement.sql(format!(
            "select cast('there' as text) from sent join {name} on {} limit 1",
            same_id(definition, &name)
        ));
        Ok(self.runner.ask(statement).await?.is_any())
    }
}
