//! Rows that somebody wrote after the replica saw them: the model's own merge, and what loses.

use super::UploadTable;
use super::apply::TablePlan;
use super::decide::Kind;
use super::plan::{Contested, RowPlan, written};
use super::session::{Failure, Session};
use super::sql::Room;
use crate::backend::SyncBackend;
use crate::change::Edit;
use crate::clock::Clock;
use crate::connection::runner::Runner;
use crate::merge::Rows;
use crate::register::Registers;
use crate::wire::{WireBackend, WireError};
use diesel::result::Error;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::sync::LazyLock;

/// An entry of the conflict log.
pub(super) struct Sides {
    /// The replica whose change it was.
    pub(super) sender: u64,
    /// The values that don't stand.
    pub(super) lost: Map<String, Value>,
    /// Those that do.
    pub(super) won: Map<String, Value>,
    pub(super) lost_clock: Clock,
    pub(super) won_clock: Clock,
}

impl Sides {
    /// As the log has it: the sender, both clocks, the values that lost and those that stand.
    pub(super) fn texts(&self) -> [String; 5] {
        [
            format!("{:016x}", self.sender),
            self.lost_clock.to_string(),
            self.won_clock.to_string(),
            Value::Object(self.lost.clone()).to_string(),
            Value::Object(self.won.clone()).to_string(),
        ]
    }
}

static NOTHING: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);

impl<R: Runner> Session<'_, '_, R> {
    /// Merges by the models' own code, and logs what loses, while the server's rows are still there.
    pub(super) async fn contest(
        &mut self,
        plan: &mut TablePlan<'_, '_, R::Backend>,
    ) -> Result<(), Failure> {
        let table = plan.table;
        let contested: Vec<usize> = (0..plan.rows.len())
            .filter(|place| plan.rows[*place].contested.is_some())
            .collect();
        if contested.is_empty() {
            return Ok(());
        }
        let ids: Vec<_> = contested
            .iter()
            .filter_map(|place| plan.rows[*place].id())
            .collect();
        let rows = self.rows(table, &ids, &mut Room::default()).await?;
        let mut log = Vec::new();
        for (place, stored) in contested.into_iter().zip(rows) {
            let row = &mut plan.rows[place];
            let Some(contest) = row.contested.take() else {
                continue;
            };
            let (server, unreadable) = match stored {
                Some(stored) => (stored.row, stored.unreadable),
                None => Default::default(),
            };
            let merged = match (contest.merged.is_empty(), unreadable) {
                (true, _) => Map::new(),
                (false, Some(error)) => return Err(unmerged(error)),
                (false, None) => merge(
                    &self.tables[table],
                    row,
                    &contest,
                    &server,
                    self.around.now(),
                )?,
            };
            for sides in sides(&self.tables[table], row, &contest, &server, &merged) {
                log.push((place, sides));
            }
            let last = row.judged.last().map(|judged| judged.change.at);
            let remade = last.and_then(|at| self.remade.get_mut(&at));
            let is_own = remade.is_some_and(|remade| {
                remade.meet(self.tables[table].definition, contest.before.as_ref());
                !remade.is_outlived
            });
            if let Some(met) = met(row, &contest, &server).filter(|_| !is_own) {
                row.meet(met);
            }
        }
        self.log(plan, &log).await
    }
}

/// Lets the model merge the contested columns of the row's last change; what it makes of them.
fn merge<DB: SyncBackend>(
    table: &UploadTable<'_, DB>,
    row: &mut RowPlan<'_, '_, DB>,
    contest: &Contested<'_>,
    server: &Map<String, Value>,
    now: Clock,
) -> Result<Map<String, Value>, Failure> {
    let mut made = Map::new();
    let Some((merging, change)) = table
        .merge
        .zip(row.judged.last().map(|judged| judged.change))
    else {
        return Ok(made);
    };
    let before = contest.before.as_ref().map_or(Clock::ZERO, Registers::last);
    let overlaid = |values: &Map<String, Value>| {
        let mut row = server.clone();
        row.extend(values.clone());
        row
    };
    let merged = merging(Rows {
        server,
        sent: overlaid(values(&change.change.edit)),
        base: (!change.change.was.is_empty()).then(|| overlaid(&change.change.was)),
        server_clock: before,
        sent_clock: change.clock(),
    });
    let merged = merged.map_err(|error| unmerged(error.of(change.change.id.clone())))?;
    let clock = now.max(before).max(change.clock()).successor();
    let place = row.judged.len() - 1;
    for (number, column) in table.definition.downloaded().enumerate() {
        let is_contested = contest.merged.contains(&column.name.as_str());
        if let Some(value) = merged.get(&column.name).filter(|_| is_contested) {
            row.registers.set(&[&column.name], clock);
            row.put(place, column, Cow::Owned((table.admit)(number, value)?));
            made.insert(column.name.clone(), value.clone());
        }
    }
    Ok(made)
}

/// Only the change whose row the model can't read is rejected.
fn unmerged(error: WireError) -> Failure {
    Error::DeserializationError(Box::new(error)).into()
}

/// What differs in the row that the last change met, if it inserts one that another replica, or the server, has inserted already: two rows took one id.
fn met<DB: WireBackend>(
    row: &RowPlan<'_, '_, DB>,
    contest: &Contested<'_>,
    server: &Map<String, Value>,
) -> Option<Map<String, Value>> {
    let change = row.judged.last()?.change;
    let inserter = contest.before.as_ref()?.existence().replica();
    if change.kind != Kind::Insert
        || change.change.base.is_some()
        || inserter == change.clock().replica()
    {
        return None;
    }
    let sent = values(&change.change.edit);
    let columns = contest
        .won
        .iter()
        .chain(&contest.lost)
        .chain(&contest.merged);
    let differs = columns.filter(|column| {
        let stored = server.get(**column);
        stored.is_some() && stored != sent.get(**column)
    });
    let columns: Vec<String> = differs.map(|column| (*column).to_owned()).collect();
    (!columns.is_empty()).then(|| only(server, &columns))
}

/// What the conflict log says of the row's last change.
fn sides<DB: SyncBackend>(
    table: &UploadTable<'_, DB>,
    row: &RowPlan<'_, '_, DB>,
    contest: &Contested<'_>,
    server: &Map<String, Value>,
    merged: &Map<String, Value>,
) -> Vec<Sides> {
    let Some(change) = row.judged.last().map(|judged| judged.change) else {
        return Vec::new();
    };
    let sent = values(&change.change.edit);
    let clock = change.clock();
    let mut found = Vec::new();
    let before = |columns: &[&str]| match &contest.before {
        Some(before) => columns
            .iter()
            .map(|column| before.column(column))
            .fold(Clock::ZERO, Clock::max),
        None => row.gone(),
    };
    let is_deletion = matches!(change.change.edit, Edit::Delete);
    let differing = |columns: &[&str], one: &Map<String, Value>, other: &Map<String, Value>| {
        let differs = columns
            .iter()
            .filter(|column| one.get(**column) != other.get(**column));
        let differs = differs.map(|column| (*column).to_owned());
        differs.collect::<Vec<String>>()
    };
    let mut stands = sent.clone();
    stands.extend(merged.clone());
    if matches!(
        row.judged.last().map(|judged| &judged.verdict),
        Some(crate::outcome::Verdict::Superseded)
    ) || !contest.lost.is_empty()
    {
        let columns = differing(&contest.lost, sent, server);
        if !columns.is_empty() || is_deletion {
            found.push(Sides {
                sender: clock.replica(),
                lost: only(sent, &columns),
                won: only(server, &columns),
                lost_clock: clock,
                won_clock: match is_deletion {
                    true => contest.before.as_ref().map_or(Clock::ZERO, Registers::last),
                    false => before(&contest.lost),
                },
            });
        }
    } else if is_deletion {
        let columns: Vec<String> = written(table.definition)
            .map(|column| column.name.clone())
            .collect();
        found.push(Sides {
            sender: clock.replica(),
            lost: only(server, &columns),
            won: Map::new(),
            lost_clock: contest.before.as_ref().map_or(Clock::ZERO, Registers::last),
            won_clock: clock,
        });
    }
    let otherwise = differing(&contest.merged, sent, &stands);
    if !otherwise.is_empty() {
        let clocks = contest.merged.iter();
        let clocks = clocks.map(|column| row.registers.column(column));
        found.push(Sides {
            sender: clock.replica(),
            lost: only(sent, &otherwise),
            won: only(&stands, &otherwise),
            lost_clock: clock,
            won_clock: clocks.fold(Clock::ZERO, Clock::max),
        });
    }
    let overwritten: Vec<&str> = contest
        .won
        .iter()
        .chain(&contest.merged)
        .copied()
        .filter(|column| {
            let is_own = contest
                .before
                .as_ref()
                .is_some_and(|before| before.column(column).replica() == clock.replica());
            // The replica knew the value that it wrote over.
            let was_known = change
                .change
                .was
                .get(*column)
                .is_some_and(|was| Some(was) == server.get(*column));
            !is_own && !was_known
        })
        .collect();
    let columns = differing(&overwritten, &stands, server);
    if !columns.is_empty() {
        found.push(Sides {
            sender: clock.replica(),
            lost: only(server, &columns),
            won: only(&stands, &columns),
            lost_clock: before(&overwritten),
            won_clock: clock,
        });
    }
    found
}

/// The columns that an edit gives.
fn values(edit: &Edit) -> &Map<String, Value> {
    match edit {
        Edit::Insert(columns) | Edit::Update(columns) => columns,
        Edit::Delete => &NOTHING,
    }
}

fn only(values: &Map<String, Value>, columns: &[String]) -> Map<String, Value> {
    let given = columns
        .iter()
        .filter_map(|column| Some((column.clone(), values.get(column)?.clone())));
    given.collect()
}
