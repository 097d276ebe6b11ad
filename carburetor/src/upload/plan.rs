//! What the changes of one row come to: decided one after the other, written together.

use super::admit::Admitted;
use super::decide::{Asked, Decision, Held, Kind, Write, decide};
use super::found::Found;
use super::judged::{Judged, missing, other_id, taken};
use crate::clock::Clock;
use crate::outcome::{Code, Verdict};
use crate::register::Registers;
use crate::table::{ColumnDefinition, TableDefinition};
use crate::wire::WireBackend;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use std::borrow::Cow;

/// The changes of one row and what they come to.
pub(super) struct RowPlan<'a, 'c, DB: WireBackend> {
    /// The row's place among those of its table.
    pub(super) place: usize,
    pub(super) found: Found,
    pub(super) act: Act,
    /// The registers that the row has afterwards.
    pub(super) registers: Registers,
    /// The columns that are written.
    pub(super) cells: Vec<Written<'a, DB>>,
    /// The changes that are decided, in order.
    pub(super) judged: Vec<Judged<'a, 'c, DB>>,
    /// The write in which the server's row and the replica's contradict each other, if there is one; it is the last one then.
    pub(super) contested: Option<Contested<'a>>,
}

/// The value that one column takes.
pub(super) struct Written<'a, DB: WireBackend> {
    /// The place of its change among `judged`.
    pub(super) place: usize,
    pub(super) column: &'static ColumnDefinition,
    pub(super) value: Cow<'a, Option<DB::WireValue>>,
}

/// What is done with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    Nothing,
    Insert,
    Update,
    /// Removed, by a write with this clock.
    Delete(Clock),
    /// Removed already; this is the clock of a later deletion.
    DeleteAgain(Clock),
}

/// A change of a row that somebody else wrote after the replica saw it.
pub(super) struct Contested<'a> {
    pub(super) won: Vec<&'a str>,
    pub(super) lost: Vec<&'a str>,
    /// These take what the model's own merge makes.
    pub(super) merged: Vec<&'a str>,
    /// The registers before.
    pub(super) before: Option<Registers>,
}

impl<'a, 'c, DB: WireBackend> RowPlan<'a, 'c, DB> {
    /// Decides on as many of `changes` (of one row, in the order of their clocks) as can be written at once. `hides`: there may be rows that the scope
    /// doesn't show.
    pub(super) fn new(
        definition: &TableDefinition,
        place: usize,
        found: Found,
        changes: &[&'a Admitted<'c, DB>],
        expired: Clock,
        hides: bool,
    ) -> Self {
        let mut plan = RowPlan {
            place,
            registers: found
                .registers
                .clone()
                .unwrap_or(Registers::at(Clock::ZERO)),
            found,
            act: Act::Nothing,
            cells: Vec::new(),
            judged: Vec::new(),
            contested: None,
        };
        for change in changes {
            let is_first = plan.judged.is_empty();
            // A deletion ends what can be written at once, and what was contested is known only when it is written.
            let ended = matches!(plan.act, Act::Delete(_) | Act::DeleteAgain(_))
                || plan.contested.is_some();
            let removes_written = change.kind == Kind::Delete && plan.act != Act::Nothing;
            if !is_first && (ended || removes_written) {
                break;
            }
            plan.decide(definition, change, expired, hides);
        }
        plan
    }

    fn decide(
        &mut self,
        definition: &TableDefinition,
        change: &'a Admitted<'c, DB>,
        expired: Clock,
        hides: bool,
    ) {
        let clock = change.clock();
        if let Some(code) = self.forbids(change, expired, hides) {
            let rejection = match change.kind {
                Kind::Insert => taken(definition),
                Kind::Update | Kind::Delete => missing(definition, code),
            };
            self.judge(change, Verdict::Rejected(rejection));
            return;
        }
        if let Some(id) = &self.found.other_id {
            let rejection = other_id(definition, id);
            self.judge(change, Verdict::Rejected(rejection));
            return;
        }
        let asked = Asked {
            clock,
            base: change.change.base,
            kind: change.kind,
            columns: change
                .cells
                .iter()
                .map(|cell| cell.column.name.as_str())
                .collect(),
        };
        let before = self.registers.clone();
        match decide(definition, &self.found.held, &asked, expired) {
            Decision::Insert { registers } => {
                self.act = match self.found.is_stored {
                    true => Act::Update,
                    false => Act::Insert,
                };
                self.found.is_visible = true;
                self.hold(None, registers);
                self.write(change, |_| true);
                // What it leaves out has a value that the sender may not know, where a deleted row was kept.
                let is_whole = self.act == Act::Insert
                    || inserted(definition).all(|column| gives(change, column));
                self.judge(
                    change,
                    match is_whole {
                        true => Verdict::Applied,
                        false => Verdict::Merged,
                    },
                );
            }
            Decision::Write(write) => self.overwrite(definition, change, write, before),
            Decision::Delete { conflict } => {
                self.remove(definition, clock);
                if conflict {
                    self.contested = Some(Contested {
                        won: Vec::new(),
                        lost: Vec::new(),
                        merged: Vec::new(),
                        before: Some(before),
                    });
                }
                self.judge(change, Verdict::Applied);
            }
            Decision::DeleteAgain => {
                match &self.found.held {
                    // The clock of a soft deletion is in the row.
                    Held::Gone(deleted) if self.found.is_stored && clock > *deleted => {
                        self.remove(definition, clock);
                    }
                    Held::Gone(_) => self.act = Act::DeleteAgain(clock),
                    _ => {}
                }
                self.judge(change, Verdict::Applied);
            }
            // Where nobody wrote after it, the replica knows all of the row.
            Decision::Repeated => {
                let verdict = match self.registers.last() == clock {
                    true => Verdict::Applied,
                    false => Verdict::Merged,
                };
                self.judge(change, verdict);
            }
            Decision::Superseded => {
                let is_live = matches!(self.found.held, Held::Live { .. });
                self.contested = Some(Contested {
                    won: Vec::new(),
                    lost: asked.columns,
                    merged: Vec::new(),
                    before: is_live.then_some(before),
                });
                self.judge(change, Verdict::Superseded);
                self.lose(matches!(self.found.held, Held::Gone(_)));
            }
            Decision::Rejected(code) => {
                self.judge(change, Verdict::Rejected(missing(definition, code)));
            }
        }
    }

    /// A row that the scope doesn't show is not written, and nothing is told of it: where there may be such rows, one that isn't there is answered
    /// alike. An insert may take the id of one that is gone, if not so much as the row of a soft deletion is left.
    fn forbids(&self, change: &Admitted<'_, DB>, expired: Clock, hides: bool) -> Option<Code> {
        let is_hidden = match &self.found.held {
            Held::Live { .. } => !self.found.is_visible,
            Held::Gone(deleted) => {
                !self.found.is_visible
                    && (self.found.is_stored
                        || change.kind != Kind::Insert
                        || change.clock() <= *deleted)
            }
            Held::Unknown => hides && change.kind != Kind::Insert,
        };
        let code = match change.kind {
            Kind::Update if change.clock() < expired => Code::Expired,
            _ => Code::Forbidden,
        };
        is_hidden.then_some(code)
    }

    fn overwrite(
        &mut self,
        definition: &TableDefinition,
        change: &'a Admitted<'c, DB>,
        write: Write<'a>,
        before: Registers,
    ) {
        if self.act == Act::Nothing {
            self.act = Act::Update;
        }
        self.hold(self.found.held.stamp(), write.registers);
        self.write(change, |column| write.won.contains(&column.name.as_str()));
        let whole = write.lost.is_empty()
            && write.merged.is_empty()
            && written(definition).all(|column| write.won.contains(&column.name.as_str()));
        self.judge(
            change,
            match !write.conflict && write.lost.is_empty() || whole {
                true => Verdict::Applied,
                false => Verdict::Merged,
            },
        );
        if write.conflict || !write.lost.is_empty() {
            self.contested = Some(Contested {
                won: write.won,
                lost: write.lost,
                merged: write.merged,
                before: Some(before),
            });
        }
    }

    fn remove(&mut self, definition: &TableDefinition, clock: Clock) {
        self.act = Act::Delete(clock);
        if let Some(column) = definition.deleted() {
            self.registers.set(&[&column.name], clock);
        }
    }

    fn hold(&mut self, stamp: Option<DateTime<Utc>>, registers: Registers) {
        self.registers = registers.clone();
        self.found.held = Held::Live { stamp, registers };
    }

    fn write(&mut self, change: &'a Admitted<'c, DB>, is_won: impl Fn(&ColumnDefinition) -> bool) {
        let place = self.judged.len();
        for cell in change.cells.iter().filter(|cell| is_won(cell.column)) {
            self.put(place, cell.column, Cow::Borrowed(&cell.value));
        }
    }

    /// Writes `value` into `column`, on behalf of the change at `place` among `judged`.
    pub(super) fn put(
        &mut self,
        place: usize,
        column: &'static ColumnDefinition,
        value: Cow<'a, Option<DB::WireValue>>,
    ) {
        self.cells
            .retain(|known| !std::ptr::eq(known.column, column));
        self.cells.push(Written {
            place,
            column,
            value,
        });
    }

    /// The database made something else of these columns than was sent: its write stands.
    pub(super) fn remake(&mut self, columns: &[String]) {
        let stamp = self.found.stamp.map_or(Clock::ZERO, Clock::of_database);
        let clock = stamp.max(self.registers.last().successor());
        let names: Vec<&str> = columns.iter().map(String::as_str).collect();
        self.registers.set(&names, clock);
        for column in columns {
            let writers = self.cells.iter().filter(|cell| cell.column.name == *column);
            for place in writers.map(|cell| cell.place) {
                if let Some(judged) = self.judged.get_mut(place) {
                    judged.verdict = Verdict::Merged;
                }
            }
        }
    }

    /// The database kept the row, although it was deleted: the server's row is what counts.
    pub(super) fn keep(&mut self) {
        let deletions = self.judged.iter_mut();
        let applied = deletions.filter(|judged| {
            judged.change.kind == Kind::Delete && judged.verdict == Verdict::Applied
        });
        applied.for_each(|judged| judged.verdict = Verdict::Merged);
    }

    /// The last change inserted a row where another one was, in which these values are others.
    pub(super) fn meet(&mut self, met: Map<String, Value>) {
        if let Some(judged) = self.judged.last_mut() {
            if judged.verdict == Verdict::Applied {
                judged.verdict = Verdict::Merged;
            }
            judged.met = Some(met);
        }
    }

    /// The places of the changes that are decided.
    pub(super) fn places(&self) -> impl Iterator<Item = usize> {
        self.judged.iter().map(|judged| judged.change.at)
    }

    /// What is written into `column`, if anything is.
    pub(super) fn cell(&self, column: &ColumnDefinition) -> Option<&Written<'a, DB>> {
        self.cells
            .iter()
            .find(|cell| std::ptr::eq(cell.column, column))
    }

    /// The row's id.
    pub(super) fn id(&self) -> Option<&'a [DB::WireValue]> {
        self.judged
            .first()
            .map(|judged| judged.change.id.as_slice())
    }

    /// The clock of the row's deletion.
    pub(super) fn gone(&self) -> Clock {
        match &self.found.held {
            Held::Gone(clock) => *clock,
            _ => Clock::ZERO,
        }
    }

    fn judge(&mut self, change: &'a Admitted<'c, DB>, verdict: Verdict) {
        self.judged.push(Judged {
            change,
            verdict,
            met: None,
            lost: false,
        });
    }

    /// Whether nothing is left of the last change, because the row was deleted.
    fn lose(&mut self, lost: bool) {
        if let Some(judged) = self.judged.last_mut() {
            judged.lost = lost;
        }
    }
}

fn gives<DB: WireBackend>(change: &Admitted<'_, DB>, column: &ColumnDefinition) -> bool {
    change
        .cells
        .iter()
        .any(|cell| std::ptr::eq(cell.column, column))
}

/// The columns that an insert may give besides the id.
fn inserted(definition: &TableDefinition) -> impl Iterator<Item = &ColumnDefinition> {
    definition.downloaded().filter(|column| {
        !column.id && !column.last_synced_at && !column.deleted && !column.read_only
    })
}

/// The columns that uploads write.
pub(super) fn written(definition: &TableDefinition) -> impl Iterator<Item = &ColumnDefinition> {
    inserted(definition).filter(|column| !column.immutable)
}
