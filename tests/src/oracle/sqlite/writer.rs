//! A writer on SQLite. Only one writes at a time, but readers go on meanwhile.

use crate::oracle::ledger::{CONTESTED, TEAMS};
use crate::oracle::run::Run;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use std::time::Duration;

/// One writer with its connection.
pub(super) struct Writer<'r> {
    pub conn: SqliteConnection,
    pub random: fastrand::Rng,
    pub run: &'r Run,
}

/// Entries that make up for what the transaction did to the sums, per team. Nobody else writes meanwhile, so the tables themselves tell.
pub(in crate::oracle) const SETTLE: &str = "
insert into entries (id, team, amount, note)
  select {first} + row_number() over () - 1, team, amount, 'settled' from (
    select team, sum(amount) as amount from (
      select team, amount from accounts where not deleted union all select team, -amount from entries
    ) group by team having sum(amount) <> 0);
";

impl Writer<'_> {
    /// Writes until the run is over.
    pub(super) fn write(&mut self) -> QueryResult<()> {
        while !self.run.over() {
            if let Err(error) = self.transaction() {
                // What can't go on is rolled back; a lost connection ends here.
                self.run.counts.refused();
                self.execute("rollback").map_err(|_| error)?;
            }
            self.run.think(&mut self.random, Duration::from_millis(25));
        }
        Ok(())
    }

    fn transaction(&mut self) -> QueryResult<()> {
        let idle = Duration::from_millis(match self.random.u8(..100) {
            0..90 => 0,
            90..99 => 25,
            _ => 400,
        });
        self.execute("begin immediate")?;
        for _ in 0..self.random.u8(1..=4) {
            self.step()?;
            self.run.think(&mut self.random, idle);
        }
        let first = self.run.ids(TEAMS.len() as i64);
        self.execute(&SETTLE.replace("{first}", &first.to_string()))?;
        self.run.think(&mut self.random, idle);
        if self.random.u8(..8) == 0 {
            self.execute("rollback")?;
            self.run.counts.rolled_back();
        } else {
            self.execute("commit")?;
            self.run.counts.committed();
        }
        Ok(())
    }

    /// An operation, sometimes in a savepoint, of which some are given up.
    fn step(&mut self) -> QueryResult<()> {
        let operation = self.operation();
        match self.random.u8(..8) {
            0 => self.execute(&format!("savepoint step; {operation}; release step")),
            1 => self.execute(&format!(
                "savepoint step; {operation}; rollback to step; release step"
            )),
            _ => self.execute(&operation),
        }
    }

    /// One statement or a few, at random. The sums are settled at the end.
    fn operation(&mut self) -> String {
        let (table, columns, values) = match self.random.bool() {
            true => ("accounts", ", published", ", true"),
            false => ("entries", "", ""),
        };
        let (team, other) = (self.team(), self.team());
        let (amount, count) = (self.random.i64(-50..=50), self.random.i64(1..=12));
        let some = self.some(table, count);
        match self.random.u8(..20) {
            0..3 => {
                let first = self.run.ids(count);
                let rows: Vec<String> = (first..first + count)
                    .map(|id| format!("({id}, '{team}', {amount}{values})"))
                    .collect();
                format!("insert into {table} (id, team, amount{columns}) values {}", rows.join(", "))
            }
            3..5 => format!("update {table} set amount = amount + {amount} where {some}"),
            5 => {
                let many = self.some(table, 200);
                format!("update {table} set note = '{amount}' where {many}")
            }
            6..8 => {
                let many = self.some(table, 25);
                format!("delete from {table} where {many}")
            }
            8 => format!(
                "replace into {table} (id, team, amount{columns}) select id, '{team}', {amount}{values} from {table} where {some}"
            ),
            9 => format!(
                "insert into {table} (id, team, amount{columns}) select id, team, 1{values} from {table} where {some}
                 on conflict (id) do update set amount = excluded.amount + 1"
            ),
            10..12 => format!("update {table} set team = '{team}' where {some}"),
            12 => format!(
                "update {table} set team = '{team}' where {some}; update {table} set team = '{other}' where {some}"
            ),
            13 => format!(
                "update {table} set id = {} where id = (select id from {table} where {some} limit 1)",
                self.run.ids(1)
            ),
            14 => format!("update accounts set published = not published where {}", self.some("accounts", 8)),
            15 | 16 => format!("delete from {table} where id = {}", self.random.i64(1..=CONTESTED)),
            17..19 => format!(
                "insert into {table} (id, team, amount{columns}) values ({}, '{team}', {amount}{values}) on conflict do nothing",
                self.random.i64(1..=CONTESTED)
            ),
            _ => format!("update accounts set deleted = not deleted where {}", self.some("accounts", 8)),
        }
    }

    /// A condition that a few rows meet, somewhere in the table.
    fn some(&mut self, table: &str, most: i64) -> String {
        let from = self.random.i64(0..self.run.next_id());
        let count = self.random.i64(1..=most);
        format!("id in (select id from {table} where id >= {from} order by id limit {count})")
    }

    fn team(&mut self) -> &'static str {
        TEAMS[self.random.usize(..TEAMS.len())]
    }

    fn execute(&mut self, statements: &str) -> QueryResult<()> {
        self.conn.batch_execute(statements)
    }
}
