//! Uploads beside the writers: every change that was sent is looked for in the tables at the end, by its clock.
//!
//! A few rows are contested: they are deleted and inserted again all the time, by clocks that are ahead, too. What happens to them is traced, because
//! the tables at the end have forgotten most of it.
//!
//! A naive twin gets the same changes and lets the last to arrive win. It must keep older writes, or the run proves nothing.

mod device;
mod draft;
mod journal;
mod judge;
mod known;
mod replay;
mod site;
mod tally;
mod trace;
mod twin;
mod uploader;

pub(super) use journal::Journal;
pub(super) use site::WEIGHTS;
pub(super) use tally::Tally;
pub(super) use trace::{postgres as trace_on_postgres, sqlite as trace_on_sqlite};
pub(super) use twin::TABLE as TWIN;

use super::contest::Write;
use super::ledger::tracked::{Account, Entry};
use super::ledger::{Stored, TEAMS};
use super::run::Run;
use super::view::Member;
use carburetor::SyncConnection;
use carburetor::group::DownloadTables;
use carburetor::group::UploadTables;
use diesel::connection::LoadConnection;
use diesel::query_builder::SqlQuery;
use diesel::query_dsl::LoadQuery;
use judge::Judge;
use site::{Ground, Site};
use trace::Trace;
use uploader::Uploader;

/// One uploader, the `number`th of its run. Of five, one is about all rows, two are about contested rows only, and two duel for those that are the
/// uploads' own; of those that don't duel, every third one sees two teams only.
pub(super) fn uploader<'r, C>(
    number: usize,
    conn: C,
    random: fastrand::Rng,
    run: &'r Run,
    journal: &'r Journal,
) -> Result<Write<'r>, String>
where
    C: SyncConnection + Site + Send + 'r,
    (Account, Entry): UploadTables<C::Backend, Member> + DownloadTables<C::Backend, Member>,
{
    let duels = number % 5 > 2;
    let member = match number % 3 {
        2 if !duels => Member::of(&TEAMS[..2]),
        _ => Member { teams: None },
    };
    let mut uploader = Uploader::new(conn, random, run, journal, member)?;
    Ok(Box::new(move || {
        let written = match number % 5 {
            0 => uploader.write(),
            1 | 2 => uploader.contend(),
            _ => uploader.duel(),
        };
        written.map_err(|error| format!("an uploader: {error}"))
    }))
}

/// Looks for every change in the tables, when nobody writes any more.
pub(super) fn judge<C>(conn: &mut C, journal: Journal) -> Result<Tally, String>
where
    C: Site + LoadConnection,
    Account: Stored<C>,
    Entry: Stored<C>,
    SqlQuery: for<'a> LoadQuery<'a, C, site::Line>
        + for<'a> LoadQuery<'a, C, twin::Cell>
        + for<'a> LoadQuery<'a, C, trace::Noted>,
{
    let (entries, mut faults) = journal.into_parts();
    let ground = Ground::read(conn)?;
    let judge = Judge::new(&ground, &entries);
    faults.extend(entries.iter().flat_map(|entry| judge.faults(entry)));
    faults.extend(judge.untimely());
    faults.extend(judge.outlived());
    faults.extend(judge.disowned());
    let trace = Trace::read(conn)?;
    faults.extend(trace.faults());
    let superseded = |entry| trace.superseded_by_nothing(entry);
    faults.extend(entries.iter().filter_map(superseded));
    let naive = twin::stale(conn, &entries).map_err(|error| error.to_string())?;
    Ok(Tally::of(&entries, naive, faults))
}
