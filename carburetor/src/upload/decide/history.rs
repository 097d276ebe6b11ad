//! What several replicas may do, and the orders in which a server may hear of it.

use super::Kind;
use super::model::{EDITED, Edit, ONCE, Seen, Table};
use crate::clock::Clock;
use crate::table::TableDefinition;
use proptest::prelude::*;
use std::collections::BTreeMap;

const REPLICAS: usize = 3;

/// One step of a replica. Numbers are taken modulo what there is.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// It sees all that another one made and saw.
    Download { replica: usize, from: usize },
    /// It edits a row that it sees, or inserts one that it doesn't.
    Edit {
        replica: usize,
        id: u8,
        columns: Vec<&'static str>,
        deletes: bool,
        /// How far its wall clock runs until then.
        pause: u64,
    },
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let edit = (
        0..REPLICAS,
        0..2_u8,
        prop::sample::subsequence(EDITED.to_vec(), 0..=EDITED.len()),
        any::<bool>(),
        0..20_u64,
    );
    prop_oneof![
        2 => (0..REPLICAS, 0..REPLICAS).prop_map(|(replica, from)| Step::Download { replica, from }),
        5 => edit.prop_map(|(replica, id, columns, deletes, pause)| Step::Edit { replica, id, columns, deletes, pause }),
    ]
}

/// What the replicas made, each in its own order.
#[derive(Debug, Default)]
pub(super) struct History {
    changes: [Vec<Made>; REPLICAS],
}

#[derive(Debug)]
struct Made {
    edit: Edit,
    /// How many changes of each replica its maker had seen.
    knew: [usize; REPLICAS],
}

impl History {
    pub(super) fn new(steps: &[Step]) -> Self {
        let mut history = History::default();
        let mut knows = [[0; REPLICAS]; REPLICAS];
        let mut walls = [0_u64, 40, 10];
        for step in steps {
            match step {
                Step::Download { replica, from } => {
                    let theirs = knows[*from];
                    for (known, count) in knows[*replica].iter_mut().zip(theirs) {
                        *known = count.max(*known);
                    }
                }
                Step::Edit {
                    replica,
                    id,
                    columns,
                    deletes,
                    pause,
                } => {
                    let knew = knows[*replica];
                    let is_live = history.is_live(*id, &knew);
                    walls[*replica] += pause;
                    let seen = history
                        .known(&knew)
                        .map(|made| made.edit.clock.millis() + 1);
                    let millis = seen.max().unwrap_or(1).max(walls[*replica]);
                    let edit = Edit {
                        id: *id,
                        clock: Clock::new(millis, 0, *replica as u64 + 1),
                        kind: match (is_live, deletes) {
                            (false, _) => Kind::Insert,
                            (true, false) => Kind::Update,
                            (true, true) => Kind::Delete,
                        },
                        columns: columns.clone(),
                    };
                    history.changes[*replica].push(Made { edit, knew });
                    knows[*replica][*replica] += 1;
                }
            }
        }
        history
    }

    fn known(&self, knew: &[usize; REPLICAS]) -> impl Iterator<Item = &Made> {
        let made = self.changes.iter().zip(*knew);
        made.flat_map(|(changes, count)| &changes[..count])
    }

    fn is_live(&self, id: u8, knew: &[usize; REPLICAS]) -> bool {
        let last = |kind| {
            let made = self.known(knew).map(|made| &made.edit);
            made.filter(|edit| edit.id == id && edit.kind == kind)
                .map(|edit| edit.clock)
                .max()
        };
        last(Kind::Insert) > last(Kind::Delete)
    }

    fn all(&self) -> impl Iterator<Item = &Made> {
        self.changes.iter().flatten()
    }

    /// The same steps, where whoever would have deleted edits.
    pub(super) fn without_deletions(steps: &[Step]) -> Self {
        let mut steps = steps.to_vec();
        for step in &mut steps {
            if let Step::Edit { deletes, .. } = step {
                *deletes = false;
            }
        }
        History::new(&steps)
    }

    /// Whether it is an edit later than the last insert of a row that was deleted in between, made by somebody who had not seen that insert.
    fn is_stray(&self, made: &Made) -> bool {
        let of_row = || self.all().filter(|other| other.edit.id == made.edit.id);
        let last = of_row()
            .filter(|other| other.edit.kind == Kind::Insert)
            .max_by_key(|other| other.edit.clock);
        let is_deleted = of_row().any(|other| other.edit.kind == Kind::Delete);
        let Some(last) = last.filter(|_| is_deleted && made.edit.kind == Kind::Update) else {
            return false;
        };
        let saw = self
            .known(&made.knew)
            .any(|known| known.edit.clock == last.edit.clock);
        made.edit.clock > last.edit.clock && !saw
    }

    pub(super) fn strays(&self) -> usize {
        self.all().filter(|made| self.is_stray(made)).count()
    }

    /// The table after changes arrived in one of the orders in which what a replica had seen comes before what it made then. `picks` choose
    /// the order; one that is divisible by three also brings an earlier change once more. Strays never arrive.
    pub(super) fn arrive(
        &self,
        definition: &TableDefinition,
        picks: &[usize],
    ) -> BTreeMap<u8, Seen> {
        let mut table = Table::new(definition);
        let mut arrived = [0; REPLICAS];
        let mut picks = picks.iter().copied().cycle();
        loop {
            let next = (0..REPLICAS).filter_map(|replica| {
                let made = self.changes[replica].get(arrived[replica])?;
                let is_ready = made
                    .knew
                    .iter()
                    .zip(&arrived)
                    .all(|(knew, count)| knew <= count);
                is_ready.then_some((replica, made))
            });
            let next: Vec<_> = next.collect();
            let Some(pick) = picks.next().filter(|_| !next.is_empty()) else {
                return table.seen();
            };
            let (replica, made) = next[pick % next.len()];
            arrived[replica] += 1;
            if !self.is_stray(made) {
                table.apply(&made.edit);
            }
            if pick % 3 == 0 {
                let known: Vec<_> = self
                    .known(&arrived)
                    .filter(|made| !self.is_stray(made))
                    .collect();
                if let Some(again) = known.get(pick / 3 % known.len().max(1)) {
                    table.apply(&again.edit);
                }
            }
        }
    }

    /// The table by the greatest clocks alone, without any order.
    pub(super) fn by_clocks(&self, definition: &TableDefinition) -> BTreeMap<u8, Seen> {
        let mut rows: BTreeMap<u8, Vec<&Edit>> = BTreeMap::new();
        for made in self.all().filter(|made| !self.is_stray(made)) {
            rows.entry(made.edit.id).or_default().push(&made.edit);
        }
        rows.into_iter()
            .map(|(id, edits)| (id, by_clocks(definition, &edits)))
            .collect()
    }
}

fn by_clocks(definition: &TableDefinition, edits: &[&Edit]) -> Seen {
    let last = |kind| {
        let edits = edits.iter().filter(|edit| edit.kind == kind);
        edits.map(|edit| edit.clock).max().unwrap_or(Clock::ZERO)
    };
    let (existence, deletion) = (last(Kind::Insert), last(Kind::Delete));
    if deletion > existence {
        return Seen::Gone(deletion);
    }
    let columns = EDITED.into_iter().chain([ONCE]).map(|column| {
        let writers = edits
            .iter()
            .filter(|edit| edit.given(definition).contains(&column));
        let clock = writers.map(|edit| edit.clock).max().unwrap_or_default();
        (column.to_owned(), (Some(clock), clock))
    });
    Seen::Live {
        existence,
        columns: columns.collect(),
    }
}
