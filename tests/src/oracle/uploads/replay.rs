//! Whether what happened to the contested rows may happen: what the tables hold at the end has often forgotten it.

use super::journal::{Entry, Fate, Table};
use super::trace::{Event, Trace, What};
use carburetor::change::Edit;
use carburetor::clock::Clock;
use carburetor::outcome::Verdict;

impl Trace {
    /// What no upload may do to a row, whoever writes beside it.
    pub(super) fn faults(&self) -> Vec<String> {
        let rows = self.0.iter();
        rows.flat_map(|(key, events)| replay(*key, events))
            .collect()
    }

    /// A superseded change of a row that was there all the time, with nothing in it that is later.
    pub(super) fn superseded_by_nothing(&self, entry: &Entry) -> Option<String> {
        let is_superseded = entry.fate == Fate::Answered(Verdict::Superseded);
        let events = self.0.get(&entry.key().filter(|_| is_superseded)?)?;
        let until = events.iter().take_while(|event| event.at <= entry.ended);
        let events = &events[..until.count()];
        let place = events
            .iter()
            .rposition(|event| event.what == What::Inserted && event.at < entry.began)?;
        let since = &events[place..];
        let is_away = |event: &Event| event.what == What::Deleted || event.is_deleted;
        // A row that is merely inserted is seen once that is committed, and nobody knows when that was.
        if since.iter().any(is_away) || !replaces(events, place) {
            return None;
        }
        let dates = events.iter().filter(|event| event.what == What::Dated);
        let clocks = since
            .iter()
            .chain(dates)
            .flat_map(|event| event.clocks.iter());
        let last = *clocks.max()?;
        (last < entry.change.clock).then(|| {
            format!(
                "{} {}: clock {} is superseded, while a row was there whose clocks were {last} at most; sent {:?} between {} and {}",
                entry.change.table, entry.change.id, entry.change.clock, kind(&entry.change.edit), entry.began, entry.ended
            )
        })
    }
}

fn kind(edit: &Edit) -> &'static str {
    match edit {
        Edit::Insert(_) => "an insert",
        Edit::Update(_) => "an update",
        Edit::Delete => "a deletion",
    }
}

fn replay((table, id): (Table, i64), events: &[Event]) -> Vec<String> {
    let mut faults = Vec::new();
    let mut fault = |what: String| faults.push(format!("{} {id}: {what}", table.name()));
    // The clock of the last deletion, and that of the one before the row.
    let (mut dated, mut before): (Option<Clock>, Option<Clock>) = (None, None);
    let mut row: Option<usize> = None;
    for (place, event) in events.iter().enumerate() {
        match event.what {
            What::Deleted => row = None,
            What::Dated => {
                let clock = event.clocks[0];
                // An upload's deletion replaces what a trigger has noted of the same one, which may be later.
                if let Some(before) = before.filter(|before| *before > clock) {
                    fault(format!(
                        "the clock of its deletion goes back from {before} to {clock}"
                    ));
                }
                let deletes =
                    |other: &Event| other.what == What::Deleted && other.writer == event.writer;
                // Where nothing was there to be deleted, the later deletion is the one that counts.
                let is_again = !event.writer.is_empty() && !events.iter().any(deletes);
                if let Some(later) = dated.filter(|dated| is_again && *dated > clock) {
                    fault(format!(
                        "a deletion of what is gone with the clock {clock} replaces the later one {later}"
                    ));
                }
                dated = Some(clock);
                if let Some(row) = row.filter(|_| is_again)
                    && (events[row].is_of_replica() || replaces(events, row))
                {
                    fault(format!(
                        "a deletion with the clock {clock} leaves the row that is there since {:?}",
                        events[row].clocks
                    ));
                }
            }
            What::Inserted | What::Written => {
                if event.what == What::Inserted {
                    (row, before) = (Some(place), dated);
                }
                let clocks = event.clocks.iter().filter(|clock| clock.replica() != 0);
                for clock in clocks.filter(|clock| Some(**clock) <= dated) {
                    fault(format!(
                        "the clock {clock} is written, which is not later than the deletion {dated:?} before the row: {event:?}"
                    ));
                }
            }
        }
    }
    faults
}

/// Whether the row that is inserted here was deleted in the same transaction, which then holds the clock of the deletion: who looks for the row waits
/// for the transaction's end.
fn replaces(events: &[Event], place: usize) -> bool {
    let writer = &events[place].writer;
    let deletes = |event: &Event| event.what == What::Deleted && event.writer == *writer;
    !writer.is_empty() && events[..place].iter().any(deletes)
}

impl Event {
    /// An upload inserted the row.
    fn is_of_replica(&self) -> bool {
        self.clocks
            .first()
            .is_some_and(|clock| clock.replica() != 0)
    }
}
