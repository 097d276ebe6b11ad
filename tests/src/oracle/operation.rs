//! What a writer does within a transaction on PostgreSQL.

mod contest;

use super::balance::Balance;
use super::ledger::{CONTESTED, OF_UPLOADS, TEAMS, schema};
use super::run::Run;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::result::Error::QueryBuilderError;
use diesel::sql_types::{BigInt, Bool, Text};

/// One of the two tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Table {
    Accounts,
    Entries,
}

/// Which rows of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rows {
    Any,
    /// Those that are not softly deleted.
    Living,
}

/// A row that this transaction has locked.
#[derive(QueryableByName)]
struct Held {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    team: String,
    #[diesel(sql_type = BigInt)]
    amount: i64,
    #[diesel(sql_type = Bool)]
    deleted: bool,
}

/// One statement, or a few, at random.
pub(super) struct Operation<'w> {
    pub conn: &'w mut PgConnection,
    pub random: &'w mut fastrand::Rng,
    pub run: &'w Run,
    pub balance: &'w mut Balance,
    /// The tables are tracked: rows may be deleted, and move.
    pub tracked: bool,
    /// Which rows it is about.
    pub reach: Reach,
}

/// Which rows operations are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    Everywhere,
    /// One of the rows that everybody contests.
    Contested,
}

impl Operation<'_> {
    /// Whatever chance chooses.
    pub(super) fn any(&mut self) -> QueryResult<()> {
        let table = self.table();
        if self.reach == Reach::Contested {
            return self.contest(table);
        }
        match self.random.u8(..if self.tracked { 20 } else { 9 }) {
            0..2 => self.insert(table, 12),
            2 => self.copy(),
            3..5 => self.change(table, 12),
            5 => self.change(table, 300),
            6 => self.annotate(table),
            7 => self.upsert(),
            8 => self.flag_deleted(),
            9..12 => self.delete(table),
            12..14 => self.replace(table),
            14..17 => self.relocate(table),
            17 => self.rename(table),
            _ => self.publish(),
        }
    }

    /// Entries that make up for what this transaction did to the sums.
    pub(super) fn settle(&mut self) -> QueryResult<()> {
        let balance = std::mem::take(self.balance);
        for (team, amount) in balance.open() {
            let id = self.run.ids(1);
            self.execute(&format!(
                "insert into entries (id, team, amount, note) values ({id}, '{team}', {amount}, 'settled')"
            ))?;
        }
        Ok(())
    }

    fn insert(&mut self, table: Table, most: i64) -> QueryResult<()> {
        let (count, team, amount) = (self.random.i64(1..=most), self.team(), self.amount());
        let first = self.run.ids(count);
        self.execute(&format!(
            "insert into {} (id, team, amount{}) select id, '{team}', {amount}{} from generate_series({first}, {}) id",
            table.name(),
            table.and(", published"),
            table.and(", id % 3 <> 0"),
            first + count - 1,
        ))?;
        self.balance.add(team, table.sign() * count * amount);
        Ok(())
    }

    fn copy(&mut self) -> QueryResult<()> {
        use schema::entries::{amount, id, table, team};
        let (count, group, value) = (self.random.i64(1..=50), self.team(), self.amount());
        let first = self.run.ids(count);
        let lines: String = (first..first + count)
            .map(|number| format!("{number}\t{group}\t{value}\n"))
            .collect();
        diesel::copy_from(table)
            .from_raw_data((id, team, amount), |copy| {
                copy.write_all(lines.as_bytes())
                    .map_err(|error| QueryBuilderError(Box::new(error)))
            })
            .execute(self.conn)?;
        self.balance.add(group, -count * value);
        Ok(())
    }

    fn change(&mut self, table: Table, most: i64) -> QueryResult<()> {
        let (rows, amount) = (self.hold(table, most, Rows::Living)?, self.amount());
        self.on(&rows, |ids| {
            format!(
                "update {} set amount = amount + {amount} where id in ({ids})",
                table.name()
            )
        })?;
        for row in rows {
            self.balance.add(&row.team, table.sign() * amount);
        }
        Ok(())
    }

    /// A write that moves no amount.
    fn annotate(&mut self, table: Table) -> QueryResult<()> {
        let rows = self.hold(table, 8, Rows::Any)?;
        let note = match self.random.u8(..3) {
            0 => "null".to_owned(),
            _ => format!("'{}'", self.random.alphanumeric()),
        };
        self.on(&rows, |ids| {
            format!(
                "update {} set note = {note} where id in ({ids})",
                table.name()
            )
        })
    }

    fn upsert(&mut self) -> QueryResult<()> {
        let amount = self.amount();
        for row in self.hold(Table::Entries, 3, Rows::Any)? {
            self.execute(&format!(
                "insert into entries as e (id, team, amount) values ({}, '{}', {amount})
                 on conflict (id) do update set amount = e.amount + excluded.amount",
                row.id, row.team
            ))?;
            self.balance.add(&row.team, -amount);
        }
        Ok(())
    }

    /// The flag that deletes softly, on or off.
    fn flag_deleted(&mut self) -> QueryResult<()> {
        let rows = self.hold(Table::Accounts, 8, Rows::Any)?;
        self.on(&rows, |ids| {
            format!("update accounts set deleted = not deleted where id in ({ids})")
        })?;
        for row in rows {
            let sign = if row.deleted { 1 } else { -1 };
            self.balance.add(&row.team, sign * row.amount);
        }
        Ok(())
    }

    fn delete(&mut self, table: Table) -> QueryResult<()> {
        let rows = self.hold(
            table,
            if table == Table::Entries { 60 } else { 8 },
            Rows::Any,
        )?;
        self.on(&rows, |ids| {
            format!("delete from {} where id in ({ids})", table.name())
        })?;
        self.without(table, &rows);
        Ok(())
    }

    /// Deletes rows, and inserts others under their ids, maybe for another team.
    fn replace(&mut self, table: Table) -> QueryResult<()> {
        let (rows, team, amount) = (self.hold(table, 5, Rows::Any)?, self.team(), self.amount());
        self.on(&rows, |ids| {
            format!("delete from {} where id in ({ids})", table.name())
        })?;
        self.without(table, &rows);
        for row in rows {
            self.execute(&format!(
                "insert into {} (id, team, amount{}) values ({}, '{team}', {amount}{})",
                table.name(),
                table.and(", published"),
                row.id,
                table.and(", true"),
            ))?;
            self.balance.add(team, table.sign() * amount);
        }
        Ok(())
    }

    /// Moves rows to another team, sometimes on to a third one, sometimes back.
    fn relocate(&mut self, table: Table) -> QueryResult<()> {
        let rows = self.hold(table, 6, Rows::Any)?;
        let teams: Vec<&str> = (0..self.random.usize(1..=3)).map(|_| self.team()).collect();
        for team in &teams {
            self.on(&rows, |ids| {
                format!(
                    "update {} set team = '{team}' where id in ({ids})",
                    table.name()
                )
            })?;
        }
        self.without(table, &rows);
        let last = teams.last().copied().unwrap_or(TEAMS[0]);
        for row in rows.iter().filter(|row| !row.deleted) {
            self.balance.add(last, table.sign() * row.amount);
        }
        Ok(())
    }

    /// Gives rows ids that nobody has had.
    fn rename(&mut self, table: Table) -> QueryResult<()> {
        let rows = self.hold(table, 4, Rows::Any)?;
        for row in rows {
            let id = self.run.ids(1);
            self.execute(&format!(
                "update {} set id = {id} where id = {}",
                table.name(),
                row.id
            ))?;
        }
        Ok(())
    }

    /// Lets the filter keep rows, or leave them out.
    fn publish(&mut self) -> QueryResult<()> {
        let rows = self.hold(Table::Accounts, 8, Rows::Any)?;
        self.on(&rows, |ids| {
            format!("update accounts set published = not published where id in ({ids})")
        })
    }

    /// Locks up to `most` rows that nobody else holds, somewhere in the table.
    fn hold(&mut self, table: Table, most: i64, rows: Rows) -> QueryResult<Vec<Held>> {
        let (from, most) = match self.reach {
            Reach::Everywhere => (self.random.i64(0..self.run.next_id()), most),
            Reach::Contested => (self.random.i64(OF_UPLOADS + 1..=CONTESTED), 1),
        };
        let deleted = match table {
            Table::Accounts => "deleted",
            Table::Entries => "false",
        };
        let living = match rows {
            Rows::Living => format!(" and not {deleted}"),
            Rows::Any => String::new(),
        };
        diesel::sql_query(format!(
            "select id, team, amount, {deleted} as deleted from {} where id >= {from}{living} order by id limit {} for update skip locked",
            table.name(),
            self.random.i64(1..=most)
        ))
        .load(self.conn)
    }

    fn without(&mut self, table: Table, rows: &[Held]) {
        for row in rows.iter().filter(|row| !row.deleted) {
            self.balance.add(&row.team, -table.sign() * row.amount);
        }
    }

    /// Runs a statement on the rows, if there are any.
    fn on(&mut self, rows: &[Held], statement: impl Fn(&str) -> String) -> QueryResult<()> {
        if rows.is_empty() {
            return Ok(());
        }
        let ids: Vec<String> = rows.iter().map(|row| row.id.to_string()).collect();
        self.execute(&statement(&ids.join(", ")))
    }

    fn execute(&mut self, statement: &str) -> QueryResult<()> {
        self.conn.batch_execute(statement)
    }

    fn table(&mut self) -> Table {
        match self.random.bool() {
            true => Table::Accounts,
            false => Table::Entries,
        }
    }

    fn team(&mut self) -> &'static str {
        TEAMS[self.random.usize(..TEAMS.len())]
    }

    fn amount(&mut self) -> i64 {
        self.random.i64(-50..=50)
    }
}

impl Table {
    fn name(self) -> &'static str {
        match self {
            Table::Accounts => "accounts",
            Table::Entries => "entries",
        }
    }

    /// Which way an amount moves the balance.
    fn sign(self) -> i64 {
        match self {
            Table::Accounts => 1,
            Table::Entries => -1,
        }
    }

    /// `text` for accounts, which have a column more.
    fn and(self, text: &'static str) -> &'static str {
        match self {
            Table::Accounts => text,
            Table::Entries => "",
        }
    }
}
