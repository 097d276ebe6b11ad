//! A replica that uploads: it edits what it knows, sends it in batches, and learns from the answers.

mod batch;
mod duel;

use super::super::ledger::TEAMS;
use super::super::ledger::tracked::{Account, Entry as Posting};
use super::super::run::Run;
use super::super::view::Member;
use super::device::{AHEAD, Device, Hears, now};
use super::journal::{Entry, Fate, Journal, Quality, Table};
use super::known::Known;
use super::site::Site;
use super::twin;
use batch::Batch;
use carburetor::change::Changes;
use carburetor::group::DownloadTables;
use carburetor::group::UploadTables;
use carburetor::outcome::Outcomes;
use carburetor::upload::UploadError;
use carburetor::{SyncConnection, SyncGroup, Timestamps, Token};
use std::collections::VecDeque;
use std::time::Duration;

type Tables = (Account, Posting);

/// One uploader with its connection.
pub(super) struct Uploader<'r, C> {
    conn: C,
    random: fastrand::Rng,
    run: &'r Run,
    journal: &'r Journal,
    member: Member,
    known: [Known; 2],
    token: Option<Token>,
    /// The clock of the first is right, of the second an hour late, of the third half a minute early, and of the last one right, but it hears of nobody.
    devices: [Device; 4],
    /// What was edited while there was no connection.
    waiting: VecDeque<Batch>,
}

/// How many batches wait at most.
const WAITING: usize = 8;

/// How the caller ends the transaction around an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Commit,
    RollBack,
}

/// Why the transaction around an upload was not committed.
enum Ended {
    RolledBack,
    Failed(UploadError),
}

impl From<diesel::result::Error> for Ended {
    fn from(error: diesel::result::Error) -> Self {
        Ended::Failed(error.into())
    }
}

impl<'r, C> Uploader<'r, C>
where
    C: SyncConnection + Site,
    Tables: UploadTables<C::Backend, Member> + DownloadTables<C::Backend, Member>,
{
    pub(super) fn new(
        mut conn: C,
        mut random: fastrand::Rng,
        run: &'r Run,
        journal: &'r Journal,
        member: Member,
    ) -> Result<Self, String> {
        conn.batch_execute(C::GREETING)
            .map_err(|error| error.to_string())?;
        let mut device = |ahead, hears| Device::new(&mut random, ahead, hears);
        let devices = [
            device(0, Hears::Server),
            device(-3_600_000, Hears::Nothing),
            device(AHEAD, Hears::Server),
            device(0, Hears::Nothing),
        ];
        Ok(Uploader {
            conn,
            random,
            run,
            journal,
            member,
            known: Default::default(),
            token: None,
            devices,
            waiting: VecDeque::new(),
        })
    }

    /// Uploads until the run is over.
    pub(super) fn write(&mut self) -> Result<(), String> {
        self.download()?;
        while !self.run.over() {
            if self.random.u8(..5) == 0 {
                self.download()?;
            }
            let batch = self.batch();
            self.waiting.push_back(batch);
            self.run.think(&mut self.random, Duration::from_millis(60));
            if self.waiting.len() < WAITING && self.random.u8(..3) > 0 {
                continue;
            }
            while let Some(batch) = self.waiting.pop_front() {
                self.deliver(batch)?;
            }
        }
        Ok(())
    }

    /// Uploads changes of contested rows only, as fast as it can, until the run is over.
    pub(super) fn contend(&mut self) -> Result<(), String> {
        self.download()?;
        while !self.run.over() {
            let batch = self.contested();
            self.run.think(&mut self.random, Duration::from_millis(20));
            self.deliver(batch)?;
        }
        Ok(())
    }

    fn download(&mut self) -> Result<(), String> {
        let timestamps = self
            .token
            .as_ref()
            .map_or_else(Timestamps::default, Into::into);
        let group = SyncGroup::<Tables, Member>::scoped(&self.member);
        let response = group
            .download(&mut self.conn, timestamps)
            .map_err(|error| error.to_string())?;
        self.token = Some(response.next());
        let (accounts, entries) = response.into_tables();
        self.known[Table::Accounts as usize].download(accounts);
        self.known[Table::Entries as usize].download(entries);
        Ok(())
    }

    /// Sends a batch, maybe more than once.
    fn deliver(&mut self, batch: Batch) -> Result<(), String> {
        let began = now(0);
        let mut answer = None;
        if !batch.is_neutral && self.random.u8(..8) == 0 {
            // Nothing of it counts; a replica that hears of it tries again.
            self.within(&batch, End::RollBack)?;
            self.run.counts.rolled_back();
            if self.random.bool() {
                self.note(batch, began, None);
                return Ok(());
            }
        }
        while answer.is_none() && !self.run.overdue() {
            answer = match batch.is_neutral {
                true => self.alone(&batch.changes)?,
                false => self.within(&batch, End::Commit)?,
            };
            match answer {
                Some(_) => self.run.counts.committed(),
                None => self.run.counts.refused(),
            }
        }
        let Some(first) = answer else {
            return Err("an upload always gives way".into());
        };
        if self.random.u8(..6) == 0 {
            // The answer was lost.
            self.run.think(&mut self.random, Duration::from_millis(40));
            if let Some(second) = self.within(&batch, End::Commit)? {
                self.journal.compare(&first, &second);
            }
        }
        self.learn(&batch, &first);
        self.note(batch, began, Some(first));
        Ok(())
    }

    /// In a transaction of the upload's own.
    fn alone(&mut self, changes: &Changes) -> Result<Option<Outcomes>, String> {
        let group = SyncGroup::<Tables, Member>::scoped(&self.member);
        let answer = match group.upload(&mut self.conn, changes) {
            Ok(outcomes) => outcomes,
            Err(error) => return excused::<C>(error),
        };
        twin::feed(&mut self.conn, &changes.changes, &answer).map_err(|error| error.to_string())?;
        Ok(Some(answer))
    }

    /// In a transaction of the caller's, who makes up for the sums, and commits or rolls back.
    fn within(&mut self, batch: &Batch, end: End) -> Result<Option<Outcomes>, String> {
        let (member, first) = (&self.member, self.run.ids(TEAMS.len() as i64));
        let (run, random, changes) = (self.run, &mut self.random, &batch.changes);
        let settle = C::SETTLE.replace("{first}", &first.to_string());
        let ended = self.conn.transaction(|conn| {
            let group = SyncGroup::<Tables, Member>::scoped(member);
            let outcomes = group.upload(conn, changes).map_err(Ended::Failed)?;
            twin::feed(conn, &changes.changes, &outcomes)?;
            conn.batch_execute(&settle)?;
            run.think(random, batch.holds);
            match end {
                End::RollBack => Err(Ended::RolledBack),
                End::Commit => Ok(outcomes),
            }
        });
        match ended {
            Ok(outcomes) => Ok(Some(outcomes)),
            Err(Ended::RolledBack) => Ok(None),
            Err(Ended::Failed(error)) => excused::<C>(error),
        }
    }

    fn learn(&mut self, batch: &Batch, outcomes: &Outcomes) {
        for device in &mut self.devices {
            device.observe(outcomes.clock);
        }
        for (change, outcome) in batch.changes.changes.iter().zip(&outcomes.outcomes) {
            let id = change.id.as_str().and_then(|id| id.parse().ok());
            if let Some((table, id)) = Table::of(change).zip(id) {
                self.known[table as usize].answered(id, change, outcome);
            }
        }
    }

    fn note(&self, batch: Batch, began: carburetor::clock::Clock, outcomes: Option<Outcomes>) {
        let ended = now(0);
        let is_scoped = self.member.teams.is_some();
        let mut answers = outcomes.map(|outcomes| outcomes.outcomes.into_iter());
        let entries = batch
            .changes
            .changes
            .into_iter()
            .enumerate()
            .map(|(place, change)| Entry {
                change,
                quality: match (batch.bad.contains(&place), is_scoped) {
                    (true, _) => Quality::Bad,
                    (false, true) => Quality::Scoped,
                    (false, false) => Quality::Good,
                },
                fate: match answers.as_mut().and_then(Iterator::next) {
                    Some(outcome) => Fate::Answered(outcome.verdict),
                    None => Fate::Undone,
                },
                began,
                ended,
            });
        let entries: Vec<Entry> = entries.collect();
        self.journal.note(entries);
    }
}

/// Nothing, if the upload gave way to another transaction.
fn excused<C: Site>(error: UploadError) -> Result<Option<Outcomes>, String> {
    match error {
        UploadError::Busy { .. } => Ok(None),
        UploadError::Query(error) if C::gave_way(&error) => Ok(None),
        error => Err(error.to_string()),
    }
}
