//! Locking rows, where the database locks them one by one.
//!
//! A row that is deleted and inserted again while somebody waits for it is not there for who waited: what he had seen is gone, and what came is not
//! in his statement's snapshot. And where there is no row, no lock of it keeps two changes of its id apart. So the deletions of all ids are locked
//! after the rows: whoever inserts a row again has its deletion first. Then rows that weren't there are looked for once more, in a statement that sees
//! what was committed meanwhile. If one is there by now, everything begins anew rather than that it is waited for: its next writer may delete it, with
//! the row locked that this one waits for, and wait for the deletion that is locked here.
//!
//! What is there whenever everything begins anew, and is not locked, is nobody's race: policies of the table show the row to a query and keep it from
//! being written. To whoever sent a change of it, it is as one that the scope doesn't show.

use super::{Id, PLACE, names, of_ids, same_id};
use crate::connection::runner::Runner;
use crate::upload::UploadBackend;
use crate::upload::admit::Admitted;
use crate::upload::decide::{Held, Kind};
use crate::upload::found::Found;
use crate::upload::session::{Failure, Session};
use std::collections::BTreeMap;

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
        // An insert's id without a deletion had no row that could have gone meanwhile: it is looked for where the insert failed again and again.
        let is_suspect = |change: &Admitted<'_, R::Backend>, found: &Found| {
            let may_be_there = matches!(found.held, Held::Gone(_)) || change.kind != Kind::Insert;
            !found.is_stored && (may_be_there || self.refuses_races)
        };
        let suspects: Vec<usize> = (0..ids.len())
            .filter(|place| is_suspect(changes[*place], &found[*place]))
            .collect();
        let shown = self.shown(table, &ids, &suspects).await?;
        if shown.is_empty() {
            return Ok(found);
        }
        if !self.refuses_races {
            return Err(Failure::Raced(table, Vec::new()));
        }
        let places: Vec<usize> = shown.keys().copied().collect();
        let of: Vec<_> = places.iter().map(|place| ids[*place]).collect();
        let mut again = self.lock_stored(table, &of, kind).await?;
        self.lock_deleted(table, &of, keeping, &mut again).await?;
        let still_shown = self.shown(table, &ids, &places).await?;
        for (place, again) in places.into_iter().zip(again) {
            found[place] = match still_shown.get(&place) {
                Some(_) if again.is_stored => again,
                None => again,
                // Nobody has written it since, and its lock was not given.
                stamp if stamp == shown.get(&place) => Found::barred(),
                Some(_) => return Err(Failure::Raced(table, Vec::new())),
            };
        }
        Ok(found)
    }

    /// The stamps of the rows that a query shows, by their places among `ids`; only these `places` are looked at.
    async fn shown(
        &mut self,
        table: usize,
        ids: &[Id<'_, R::Backend>],
        places: &[usize],
    ) -> Result<BTreeMap<usize, String>, Failure> {
        if places.is_empty() {
            return Ok(BTreeMap::new());
        }
        let definition = self.tables[table].definition;
        let sql = names(definition)?;
        let ids: Vec<_> = places.iter().map(|place| ids[*place]).collect();
        let (mut statement, _) =
            of_ids::<R::Backend>(definition, &ids).statement(self.around.types(table));
        statement.sql(format!(
            "select cast({PLACE} as text), coalesce(cast({} as text), '') from sent join {name} on {}",
            sql.stamp,
            same_id(definition, &sql.name),
            name = sql.name,
        ));
        let mut shown = BTreeMap::new();
        for line in self.runner.ask(statement).await?.rows() {
            let mut texts = line.into_iter().map(Option::unwrap_or_default);
            let place = texts.next().and_then(|place| place.parse::<usize>().ok());
            if let Some(place) = place.and_then(|place| places.get(place)) {
                shown.insert(*place, texts.next().unwrap_or_default());
            }
        }
        Ok(shown)
    }
}
