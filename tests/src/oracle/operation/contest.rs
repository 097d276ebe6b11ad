//! What a writer does to rows that everybody contests.

use super::{CONTESTED, Held, OF_UPLOADS, Operation, Rows, Table};
use diesel::prelude::*;

impl Operation<'_> {
    /// Something that moves the existence of a row.
    pub(super) fn contest(&mut self, table: Table) -> QueryResult<()> {
        match self.random.u8(..10) {
            0 => self.delete(table),
            1..5 => self.replace(table),
            5..7 => self.bring_back(table),
            7..9 => self.leave_and_return(table),
            _ => self.annotate(table),
        }
    }

    /// Inserts rows under ids that had one.
    fn bring_back(&mut self, table: Table) -> QueryResult<()> {
        let (team, amount) = (self.team(), self.amount());
        let id = self.random.i64(OF_UPLOADS + 1..=CONTESTED);
        let inserted = self.conn.execute_returning_count(&diesel::sql_query(format!(
            "insert into {} (id, team, amount{}) values ({id}, '{team}', {amount}{}) on conflict do nothing",
            table.name(),
            table.and(", published"),
            table.and(", true"),
        )))?;
        self.balance
            .add(team, table.sign() * amount * inserted as i64);
        Ok(())
    }

    /// Gives a row another id, and its own again.
    fn leave_and_return(&mut self, table: Table) -> QueryResult<()> {
        let (rows, name) = (self.hold(table, 1, Rows::Any)?, table.name());
        for Held { id, .. } in rows {
            let other = self.run.ids(1);
            self.execute(&format!(
                "update {name} set id = {other} where id = {id}; update {name} set id = {id} where id = {other}"
            ))?;
        }
        Ok(())
    }
}
