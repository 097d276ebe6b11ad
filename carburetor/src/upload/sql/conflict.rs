//! The conflict log.

use super::{list, of_ids, portions, same_id};
use crate::connection::runner::Runner;
use crate::table::{ColumnDefinition, TableDefinition};
use crate::upload::UploadBackend;
use crate::upload::apply::TablePlan;
use crate::upload::contest::Sides;
use crate::upload::sent::Cells;
use crate::upload::session::{Failure, Session};

/// The columns of the log beside the row's own: [`Sides::texts`].
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
                let all: Vec<_> = entries
                    .iter()
                    .filter_map(|(place, _)| plan.rows[*place].id())
                    .collect();
                let mut sent = of_ids::<R::Backend>(definition, &all);
                for (place, name) in COLUMNS.into_iter().enumerate() {
                    let texts = entries
                        .iter()
                        .map(|(_, sides)| sides.texts()[place].clone());
                    sent.add(name, Cells::Texts(texts.collect()));
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
