//! Deleting rows.

use super::{Id, PLACE, of_ids, portions, same_id};
use crate::backend::SyncBackend;
use crate::clock::Clock;
use crate::connection::runner::Runner;
use crate::table::TableDefinition;
use crate::upload::UploadBackend;
use crate::upload::apply::TablePlan;
use crate::upload::plan::Act;
use crate::upload::sent::{Cells, Sent};
use crate::upload::session::{Failure, Session};

/// The column of [`Sent`] with a deletion's clock.
const CLOCK: &str = "~clock";

impl<R: Runner> Session<'_, '_, R> {
    /// Removes rows, and gives their deletions the clocks of the changes; returns the places of rows that are still there, because a trigger, a rule
    /// or a policy made something else of it.
    pub(in crate::upload) async fn delete(
        &mut self,
        plan: &TablePlan<'_, '_, R::Backend>,
    ) -> Result<Vec<usize>, Failure> {
        let table = plan.table;
        let definition = self.table(table).definition;
        let mut kept = Vec::new();
        if definition.deleted().is_none() {
            let removed = plan.rows.iter().filter_map(|row| match row.act {
                Act::Delete(clock) => Some((row.id()?, clock, row.place)),
                _ => None,
            });
            let removed: Vec<_> = removed.collect();
            // A deletion's trigger takes an instant of its own.
            self.has_deleted |= !removed.is_empty();
            self.refuse_cascades(plan).await?;
            let ids: Vec<_> = removed.iter().map(|(id, ..)| *id).collect();
            for portion in portions::<R::Backend>(ids.len(), definition.ids().count() + 2) {
                let (sent, text) = deletion::<R::Backend>(definition, &ids[portion]);
                let (mut statement, _) = sent.statement(self.around.types(table));
                statement.sql(text);
                self.perform(statement).await?;
            }
            let is_there = self.still_stored(table, &ids).await?;
            let (stayed, went): (Vec<_>, Vec<_>) = removed
                .into_iter()
                .zip(is_there)
                .partition(|(_, is_there)| *is_there);
            kept.extend(stayed.into_iter().map(|((.., place), _)| place));
            // A change deletes a row only if it is later than the deletion before, so that the clock is never lower than that.
            let went = went.into_iter().map(|((id, clock, _), _)| (id, clock));
            self.date_deletions(table, &went.collect::<Vec<_>>(), "")
                .await?;
        }
        let again = plan.rows.iter().filter_map(|row| match row.act {
            Act::DeleteAgain(clock) if !row.found.is_stored => Some((row.id()?, clock)),
            _ => None,
        });
        let again: Vec<_> = again.collect();
        let register = R::Backend::register_table(definition);
        let later = format!(" and {register}.carburetor_clock < sent.\"{CLOCK}\"");
        self.date_deletions(table, &again, &later).await?;
        Ok(kept)
    }

    /// Which of the rows with these ids are there although they were deleted. Where nobody could keep them, none is.
    async fn still_stored(
        &mut self,
        table: usize,
        ids: &[Id<'_, R::Backend>],
    ) -> Result<Vec<bool>, Failure> {
        let definition = self.table(table).definition;
        let mut is_there = vec![false; ids.len()];
        if self.around.has_no_others(table) {
            return Ok(is_there);
        }
        let name = definition.sql_name();
        for portion in portions::<R::Backend>(ids.len(), definition.ids().count() + 1) {
            let first = portion.start;
            let (mut statement, _) =
                of_ids::<R::Backend>(definition, &ids[portion]).statement(self.around.types(table));
            statement.sql(format!(
                "select cast({PLACE} + {first} as text) from sent join {name} on {}",
                same_id(definition, &name)
            ));
            for place in self.runner.ask(statement).await?.values() {
                let place = place.parse::<usize>().ok();
                if let Some(is_there) = place.and_then(|place| is_there.get_mut(place)) {
                    *is_there = true;
                }
            }
        }
        Ok(is_there)
    }

    async fn date_deletions(
        &mut self,
        table: usize,
        removed: &[(Id<'_, R::Backend>, Clock)],
        and: &str,
    ) -> Result<(), Failure> {
        let definition = self.table(table).definition;
        let register = R::Backend::register_table(definition);
        for portion in portions::<R::Backend>(removed.len(), definition.ids().count() + 2) {
            let (all, clocks): (Vec<_>, Vec<_>) = removed[portion]
                .iter()
                .map(|(id, clock)| (*id, clock.to_string()))
                .unzip();
            let mut sent = of_ids::<R::Backend>(definition, &all);
            sent.add(CLOCK, Cells::Texts(clocks));
            let (mut statement, _) = sent.statement(self.around.types(table));
            statement.sql(format!(
                "update {register} set carburetor_clock = sent.\"{CLOCK}\" from sent where {}{and}",
                same_id(definition, &register)
            ));
            self.perform(statement).await?;
        }
        Ok(())
    }
}

/// What deletes the rows with these ids.
pub(super) fn deletion<'v, DB: SyncBackend>(
    definition: &'v TableDefinition,
    ids: &[Id<'v, DB>],
) -> (Sent<'v, DB>, String) {
    let name = definition.sql_name();
    let text = format!(
        "delete from {name} where exists (select 1 from sent where {})",
        same_id(definition, &name)
    );
    (of_ids::<DB>(definition, ids), text)
}
