//! Keys that an upload's own rows add to the scope.
//!
//! A scope by keys was made before the upload: it can't hold the key of a row that comes with it. So where the scope shows such a row itself, and a
//! table after it is shown by a foreign key to it, its key counts from there on. Only of rows that this upload inserts: of another one that the scope
//! shows, whoever made the scope left out the key.

use super::read::id_text;
use super::{Id, of_ids, portions, same_id};
use crate::connection::runner::Runner;
use crate::statement::Statement;
use crate::upload::apply::TablePlan;
use crate::upload::plan::Act;
use crate::upload::session::{Failure, Session};

impl<'u, R: Runner> Session<'u, '_, R> {
    /// Appends ` and ..` for each condition of the scope over the rows of `table`, those that this upload granted included.
    pub(super) fn push_visible<'v>(&self, table: usize, statement: &mut Statement<'v, R::Backend>)
    where
        'u: 'v,
    {
        let upload = &self.tables[table];
        let granted = self.own.granted(table);
        upload.visibility.push_granting(statement, granted);
    }

    /// Has the rows that `plan` inserted count as keys, where the scope shows them. If any of them turns out not to be written, all is taken back.
    pub(in crate::upload) async fn grant_inserted(
        &mut self,
        plan: &TablePlan<'_, '_, R::Backend>,
    ) -> Result<(), Failure> {
        let children = self.keyed_by(plan.table);
        let inserted = plan.rows.iter().filter(|row| row.act == Act::Insert);
        let ids: Vec<Id<'_, R::Backend>> = inserted.filter_map(|row| row.id()).collect();
        if children.is_empty() || ids.is_empty() {
            return Ok(());
        }
        let definition = self.tables[plan.table].definition;
        let name = definition.sql_name();
        for portion in portions::<R::Backend>(ids.len(), definition.ids().count() + 1) {
            let sent = of_ids::<R::Backend>(definition, &ids[portion]);
            let (mut statement, _) = sent.statement(self.around.types(plan.table));
            statement.sql(format!(
                "select {} from sent join {name} on {} where 1 = 1",
                id_text::<R::Backend>(definition, &name),
                same_id(definition, &name),
            ));
            self.push_visible(plan.table, &mut statement);
            let keys: Vec<String> = self.runner.ask(statement).await?.values().collect();
            for child in &children {
                self.own.grant(*child, &keys);
            }
        }
        Ok(())
    }

    /// The tables after `parent` that the scope shows by a column which refers to the id of `parent`. Among rows of one table, or of tables that refer to
    /// each other, none would come from a key of the scope in the end.
    fn keyed_by(&self, parent: usize) -> Vec<usize> {
        let mut ids = self.tables[parent].definition.ids();
        let (Some(id), None) = (ids.next(), ids.next()) else {
            return Vec::new();
        };
        let place = self.order.iter().position(|table| *table == parent);
        let after = self.order.iter().skip(place.map_or(0, |place| place + 1));
        let is_keyed = |child: &&usize| {
            let key = self.tables[**child].visibility.key_column();
            let mut references = self.around.between(**child, parent);
            references.any(|reference| match reference.columns.as_slice() {
                // SQLite may leave out what it refers to: that is the id.
                [(column, named)] => {
                    Some(column.as_str()) == key && (named.is_empty() || *named == id.name)
                }
                _ => false,
            })
        };
        after.filter(is_keyed).copied().collect()
    }
}
