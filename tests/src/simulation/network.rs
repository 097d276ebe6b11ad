//! The device's side of the network, which fails: at any of its steps the program may edit, and the process end.

use super::door::Door;
use super::line::Line;
use super::models::Member;
use super::program::Program;
use bytes::Bytes;
use carburetor::change::Changes;
use carburetor::outcome::Outcomes;
use carburetor::replica::{Transport, TransportError};
use carburetor::testing::{Faults, Faulty};
use fastrand::Rng;
use futures_util::{Stream, StreamExt};
use serde_json::Value;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A replica's way to the server.
#[derive(Clone)]
pub(super) struct Network {
    pub(super) door: Door,
    way: Faulty<Door>,
    faults: Faults,
    state: Arc<Mutex<State>>,
    program: Arc<Mutex<Program>>,
}

/// What befalls the device.
struct State {
    rng: Rng,
    /// Nothing does.
    is_quiet: bool,
    /// The process ends at the step that this many others precede.
    crash_in: Option<u32>,
    has_crashed: bool,
    line: Option<Line>,
}

impl Network {
    pub(super) fn new(door: Door, seed: u64, program: Program) -> Self {
        let mut rng = Rng::with_seed(seed);
        let faults = Faults::by_seed(rng.u64(..));
        let state = State {
            rng,
            is_quiet: false,
            crash_in: None,
            has_crashed: false,
            line: None,
        };
        Network {
            way: Faulty::new(door.clone(), faults.clone()),
            door,
            faults,
            state: Arc::new(Mutex::new(state)),
            program: Arc::new(Mutex::new(program)),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn program(&self) -> MutexGuard<'_, Program> {
        self.program.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The line bears so much from now on.
    pub(super) fn set_line(&self, line: Option<Line>) {
        self.state().line = line;
    }

    /// The process will end at the step that so many others precede.
    pub(super) fn crash_in(&self, steps: u32) {
        self.state().crash_in = Some(steps);
    }

    /// Whether the process has come to its end.
    pub(super) fn has_crashed(&self) -> bool {
        self.state().has_crashed
    }

    /// The process starts again.
    pub(super) fn revive(&self) {
        self.state().has_crashed = false;
    }

    /// From now on nothing goes wrong, and nobody edits while a sync waits.
    pub(super) fn heal(&self) {
        self.faults.heal();
        self.program().make_room();
        let mut state = self.state();
        state.is_quiet = true;
        state.crash_in = None;
    }

    /// Brings one of the late uploads to the server. Whether that takes or refuses it, nobody hears.
    pub(super) async fn arrive(&self) -> bool {
        self.way.arrive().await.is_some()
    }

    /// A step at which the program may edit, and the process may end: it is then never heard of again.
    async fn step(&self) {
        let edits = {
            let mut state = self.state();
            !state.is_quiet && state.rng.u8(0..6) == 0
        };
        if edits {
            let teams = self.door.member().teams.clone();
            self.program().edit(&teams);
        }
        let ends = {
            let mut state = self.state();
            let ends = state.crash_in == Some(0);
            state.crash_in = state.crash_in.and_then(|left| left.checked_sub(1));
            state.has_crashed |= ends;
            ends
        };
        if ends {
            std::future::pending::<()>().await;
        }
    }

    /// A page has come to the device: it must be of rows that `member` sees.
    fn receive(&self, page: &[u8], member: &Member) {
        let page: Value = serde_json::from_slice(page).expect("a server's message is JSON");
        let mut program = self.program();
        let tables = page["tables"].as_object().expect("it has tables");
        for (name, table) in tables {
            let rows = table["rows"].as_array().expect("a table has rows").iter();
            let foreign = rows.filter(|row| !member.sees(row["team"].as_str()));
            let foreign = foreign.map(|row| format!("{name}: {member:?} was sent {row}"));
            program.breaches.extend(foreign);
        }
        program.desk.shown(&page);
    }
}

impl Transport for Network {
    async fn download(
        &self,
        since: Option<&str>,
        limit: u32,
    ) -> Result<impl Stream<Item = Result<Bytes, TransportError>> + Send, TransportError> {
        self.step().await;
        let line = self.state().line;
        let rows = match line {
            Some(_) => limit,
            None => self.state().rng.u32(1..20),
        };
        let pages = self.way.download(since, rows).await?;
        let member = self.door.member().clone();
        Ok(pages.then(move |page| {
            let member = member.clone();
            async move {
                self.step().await;
                let page = page?;
                if let Some(line) = line {
                    line.brings(&page, rows)?;
                }
                self.receive(&page, &member);
                Ok(page)
            }
        }))
    }

    async fn upload(&self, changes: Vec<u8>) -> Result<Bytes, TransportError> {
        let sent = Changes::read(&changes).expect("a replica's message can be read");
        self.program().send(&sent);
        self.step().await;
        let line = self.state().line;
        let borne = line.map_or(Ok(()), |line| line.bears(&changes, &sent));
        let answer = match borne {
            Ok(()) => self.way.upload(changes).await,
            Err(error) => Err(error),
        };
        self.step().await;
        self.program().heard(answer.is_ok());
        let answer = answer?;
        let outcomes = Outcomes::read(&answer).expect("a server's answer can be read");
        self.program().desk.answered(&sent, &outcomes);
        Ok(answer)
    }
}
