//! A writer on PostgreSQL: transactions of every length and every end.

use super::balance::Balance;
use super::ledger::TEAMS;
use super::operation::{Operation, Reach};
use super::prepared::Prepared;
use super::run::Run;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use std::time::{Duration, Instant};

/// One writer with its connection.
pub(super) struct Writer<'r> {
    pub conn: PgConnection,
    pub random: fastrand::Rng,
    pub run: &'r Run,
    pub prepared: &'r Prepared,
    pub tracked: bool,
    /// Which rows it writes.
    pub reach: Reach,
}

/// How much a transaction thinks: before its first write, between its steps, and before its end.
struct Pace {
    before: Duration,
    between: Duration,
    after: Duration,
}

impl Pace {
    const CONTESTED: Pace = Pace {
        before: Duration::ZERO,
        between: Duration::from_millis(10),
        after: Duration::from_millis(80),
    };
}

/// Untracked, a transaction must not be open for long before it is prepared: see `Assumptions::prepare_grace`.
const OPEN_BEFORE_PREPARE: Duration = Duration::from_millis(1500);

impl Writer<'_> {
    /// Writes until the run is over.
    pub(super) fn write(&mut self) -> QueryResult<()> {
        self.execute("set lock_timeout = '300ms'; set statement_timeout = '20s'")?;
        while !self.run.over() {
            let result = match self.random.u8(..10) {
                0 => self.message(),
                1 => self.statement(),
                _ => self.transaction(),
            };
            if let Err(error) = result {
                // What can't go on is rolled back; a lost connection ends here.
                self.run.counts.refused();
                self.execute("rollback").map_err(|_| error)?;
            }
            self.run.think(&mut self.random, Duration::from_millis(30));
        }
        Ok(())
    }

    fn transaction(&mut self) -> QueryResult<()> {
        let pace = match self.reach {
            Reach::Everywhere => self.pace(),
            // Somebody else comes while the rows are held, and none holds them for long.
            Reach::Contested => Pace::CONTESTED,
        };
        let began = Instant::now();
        self.execute("begin")?;
        if !pace.before.is_zero() {
            self.execute("select 1")?;
            self.run.think(&mut self.random, pace.before);
        }
        let mut balance = Balance::default();
        for _ in 0..self.random.u8(1..=4) {
            self.step(&mut balance)?;
            self.run.think(&mut self.random, pace.between);
        }
        self.operation(&mut balance).settle()?;
        self.run.think(&mut self.random, pace.after);
        let short = self.tracked || began.elapsed() < OPEN_BEFORE_PREPARE;
        match self.random.u8(..100) {
            0..12 => {
                self.execute("rollback")?;
                self.run.counts.rolled_back();
            }
            12..20 if short && self.reach == Reach::Everywhere && self.prepared.possible() => {
                let name = self.prepared.name();
                self.execute(&format!("prepare transaction '{name}'"))?;
                self.prepared.leave(name, &mut self.random);
                self.run.counts.prepared();
            }
            _ => {
                self.execute("commit")?;
                self.run.counts.committed();
            }
        }
        Ok(())
    }

    /// An operation, sometimes in a savepoint, of which some are given up.
    fn step(&mut self, balance: &mut Balance) -> QueryResult<()> {
        if self.random.u8(..4) > 0 {
            return self.operation(balance).any();
        }
        let before = *balance;
        self.execute("savepoint step")?;
        self.operation(balance).any()?;
        if self.random.bool() {
            self.execute("release savepoint step")
        } else {
            *balance = before;
            self.execute("rollback to savepoint step")
        }
    }

    /// Several statements in one message, which the server runs as one transaction.
    fn message(&mut self) -> QueryResult<()> {
        let (team, amount) = (self.team(), self.random.i64(1..=50));
        let (first, pause) = (self.run.ids(2), self.random.f64() * 0.05);
        self.execute(&format!(
            "insert into accounts (id, team, published, amount) values ({first}, '{team}', true, {amount});
             select pg_sleep({pause});
             insert into entries (id, team, amount, note) values ({}, '{team}', {amount}, 'message')",
            first + 1,
        ))?;
        self.run.counts.committed();
        Ok(())
    }

    /// A single statement that writes both tables.
    fn statement(&mut self) -> QueryResult<()> {
        let (from, id) = (self.random.i64(0..self.run.next_id()), self.run.ids(8));
        self.execute(&format!(
            "with chosen as (select id from accounts where id >= {from} and not deleted order by id limit 8 for update skip locked),
             changed as (update accounts a set amount = a.amount + 3 from chosen c where a.id = c.id returning a.team)
             insert into entries (id, team, amount) select {id} + row_number() over () - 1, team, 3 from changed",
        ))?;
        self.run.counts.committed();
        Ok(())
    }

    fn operation<'w>(&'w mut self, balance: &'w mut Balance) -> Operation<'w> {
        Operation {
            conn: &mut self.conn,
            random: &mut self.random,
            run: self.run,
            balance,
            tracked: self.tracked,
            reach: self.reach,
        }
    }

    fn pace(&mut self) -> Pace {
        let (think, idle) = match self.random.u8(..100) {
            0..65 => (0, 0),
            65..93 => (40, 400),
            _ => (400, 3000),
        };
        Pace {
            before: self.sometimes(idle),
            between: self.sometimes(think),
            after: self.sometimes(idle),
        }
    }

    fn sometimes(&mut self, millis: u64) -> Duration {
        Duration::from_millis(if self.random.bool() { millis } else { 0 })
    }

    fn team(&mut self) -> &'static str {
        TEAMS[self.random.usize(..TEAMS.len())]
    }

    fn execute(&mut self, statements: &str) -> QueryResult<()> {
        self.conn.batch_execute(statements)
    }
}
