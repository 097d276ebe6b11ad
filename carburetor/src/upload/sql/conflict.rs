//! The conflict log.

use super::{Id, list, of_ids, portions, same_id};
use crate::connection::runner::Runner;
use crate::table::{ColumnDefinition, TableDefinition};
use crate::upload::UploadBackend;
use crate::upload::apply::TablePlan;
use crate::upload::contest::Sides;
use crate::upload::sent::Cells;
use crate::upload::session::{Failure, Session};
use serde_json::Value;

/// The columns of [`Sent`](crate::upload::sent::Sent) beside the id, which are those of the log.
const COLUMNS: [&str; 5] = [
    "carburetor_sender",
    "carburetor_lost_clock",
    "carburetor_won_clock",
    "carburetor_lost",
    "carburetor_won",
];

impl<R: Runner> Session<'_, '_, R> {
    /// Logs what loses in the rows of `plan` at these places, before they are written: the log keeps by what scopes see them now.
    pub(in crate::upload) async fn log(
        &mut self,
        plan: &TablePlan<'_, '_, R::Backend>,
        entries: &[(usize, Sides)],
    ) -> Result<(), Failure> {
        let table = plan.table;
        let definition = self.tables[table].definition;
        let is_stored = |entry: &&(usize, Sides)| plan.rows[entry.0].found.is_stored;
        let (stored, gone): (Vec<_>, Vec<_>) = entries.iter().partition(is_stored);
        for (entries, source) in [
            (stored, definition.sql_name()),
            (gone, R::Backend::register_table(definition)),
        ] {
            for portion in
                portions::<R::Backend>(entries.len(), definition.ids().count() + COLUMNS.len() + 1)
            {
                let entries = &entries[portion];
                let known = entries.iter().filter_map(|entry| {
                    let row = &plan.rows[entry.0];
                    Some((
                        row.id()?,
                        row.judged.last()?.change.clock().replica(),
                        &entry.1,
                    ))
                });
                let known: Vec<(Id<'_, R::Backend>, u64, &Sides)> = known.collect();
                let all: Vec<_> = known.iter().map(|(id, ..)| *id).collect();
                let mut sent = of_ids::<R::Backend>(definition, &all);
                let text = |of: fn(&(Id<'_, R::Backend>, u64, &Sides)) -> String| {
                    Cells::Texts(known.iter().map(of).collect())
                };
                let cells: [fn(&(Id<'_, R::Backend>, u64, &Sides)) -> String; 5] = [
                    |(_, sender, _)| format!("{sender:016x}"),
                    |(.., sides)| sides.lost_clock.to_string(),
                    |(.., sides)| sides.won_clock.to_string(),
                    |(.., sides)| Value::Object(sides.lost.clone()).to_string(),
                    |(.., sides)| Value::Object(sides.won.clone()).to_string(),
                ];
                for (name, of) in COLUMNS.into_iter().zip(cells) {
                    sent.add(name, text(of));
                }
                let (mut statement, _) = sent.statement(self.around.types(table));
                let kept = kept(definition)
                    .map(ColumnDefinition::quoted)
                    .collect::<Vec<_>>();
                statement.sql(format!(
                    "insert into {log} ({kept}, carburetor_at, {columns}) select {sources}, {now}, {sents} from sent join {source} carburetor_source on {same}",
                    log = R::Backend::conflict_table(definition),
                    kept = kept.join(", "),
                    columns = COLUMNS.join(", "),
                    sources = list(kept.iter().map(|column| format!("carburetor_source.{column}"))),
                    now = R::Backend::NOW,
                    sents = list(COLUMNS.iter().map(|column| format!("sent.{column}"))),
                    same = same_id(definition, "carburetor_source"),
                ));
                self.perform(statement).await?;
            }
        }
        Ok(())
    }
}

/// The columns that the log keeps of a row: the id, then what scopes and filters look at.
pub(in crate::upload) fn kept(
    definition: &TableDefinition,
) -> impl Iterator<Item = &ColumnDefinition> {
    definition
        .ids()
        .chain(definition.visible_by().filter(|column| !column.id))
}
