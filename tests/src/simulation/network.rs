//! The network between a replica and the server: it loses, delays, repeats and reorders. At any of its steps the program may edit, and the process end.

use super::models::Member;
use super::program::Program;
use super::server::Server;
use bytes::Bytes;
use carburetor::change::Changes;
use carburetor::outcome::Outcomes;
use carburetor::replica::{Transport, TransportError};
use fastrand::Rng;
use futures_util::{Stream, StreamExt};
use serde_json::Value;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A replica's way to the server.
#[derive(Clone)]
pub(super) struct Network {
    server: Arc<Server>,
    state: Arc<Mutex<State>>,
    program: Arc<Mutex<Program>>,
}

/// What the network is like.
pub(super) struct State {
    rng: Rng,
    /// Who is at the other end, as the server knows it.
    pub(super) member: Member,
    /// Nothing goes wrong, and nobody edits.
    pub(super) is_healed: bool,
    /// The process ends at the step that this many others precede.
    pub(super) crash_in: Option<u32>,
    has_crashed: bool,
    /// Uploads that are still on their way.
    delayed: Vec<(Vec<u8>, Member)>,
}

impl State {
    fn fault(&mut self, one_in: u32) -> bool {
        !self.is_healed && self.rng.u32(0..one_in) == 0
    }
}

impl Network {
    pub(super) fn new(server: Arc<Server>, member: Member, seed: u64, program: Program) -> Self {
        let state = State {
            rng: Rng::with_seed(seed),
            member,
            is_healed: false,
            crash_in: None,
            has_crashed: false,
            delayed: Vec::new(),
        };
        Network {
            server,
            state: Arc::new(Mutex::new(state)),
            program: Arc::new(Mutex::new(program)),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn program(&self) -> MutexGuard<'_, Program> {
        self.program.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A step at which the program may edit, and the process may end: it is then never heard of again.
    async fn step(&self) {
        let (edits, teams) = {
            let mut state = self.state();
            (state.fault(6), state.member.teams.clone())
        };
        if edits {
            self.program().edit(&teams);
        }
        let ends = {
            let mut state = self.state();
            match state.crash_in {
                Some(0) => {
                    state.crash_in = None;
                    state.has_crashed = true;
                    true
                }
                left => {
                    state.crash_in = left.map(|left| left - 1);
                    false
                }
            }
        };
        if ends {
            std::future::pending::<()>().await;
        }
    }

    /// Whether the process has come to its end.
    pub(super) fn has_crashed(&self) -> bool {
        self.state().has_crashed
    }

    /// The process starts again.
    pub(super) fn revive(&self) {
        self.state().has_crashed = false;
    }

    /// Brings one of the delayed uploads to the server; its answer reaches nobody.
    pub(super) async fn arrive(&self) {
        let late = {
            let mut state = self.state();
            let State { rng, delayed, .. } = &mut *state;
            match delayed.len() {
                0 => return,
                waiting => delayed.swap_remove(rng.usize(0..waiting)),
            }
        };
        // Whether the server takes or refuses it, nobody hears.
        let _ = self.server.take(&late.1, late.0).await;
    }

    async fn carry(&self, changes: Vec<u8>) -> Result<Bytes, TransportError> {
        let (member, is_twice, is_lost) = {
            let mut state = self.state();
            let member = state.member.clone();
            if state.fault(8) {
                return Err(lost());
            }
            if state.fault(8) {
                state.delayed.push((changes, member));
                return Err(lost());
            }
            (member, state.fault(8), state.fault(5))
        };
        if is_twice {
            self.server.take(&member, changes.clone()).await?;
        }
        let answer = self.server.take(&member, changes).await?;
        match is_lost {
            true => Err(lost()),
            false => Ok(answer),
        }
    }
}

fn lost() -> TransportError {
    TransportError::Offline("the network lost it".into())
}

impl Transport for Network {
    async fn download(
        &self,
        since: Option<&str>,
        _limit: u32,
    ) -> Result<impl Stream<Item = Result<Bytes, TransportError>> + Send, TransportError> {
        self.step().await;
        let (member, rows, cut) = {
            let mut state = self.state();
            if state.fault(8) {
                return Err(lost());
            }
            let rows = state.rng.u32(1..20);
            let cut = state.fault(4).then(|| state.rng.usize(0..4));
            (state.member.clone(), rows, cut)
        };
        let way = self.server.way(member.clone());
        let lines: Vec<_> = way.download(since, rows).await?.collect().await;
        let network = self.clone();
        let lines = futures_util::stream::iter(lines.into_iter().enumerate());
        Ok(lines.then(move |(number, line)| {
            let (network, member) = (network.clone(), member.clone());
            async move {
                network.step().await;
                if cut == Some(number) {
                    return Err(lost());
                }
                let line = line?;
                network.receive(&line, &member);
                Ok(line)
            }
        }))
    }

    /// The line is cut behind what is new.
    async fn feed(
        &self,
        since: Option<&str>,
        limit: u32,
    ) -> Result<impl Stream<Item = Result<Bytes, TransportError>> + Send, TransportError> {
        Transport::download(self, since, limit).await
    }

    async fn upload(&self, changes: Vec<u8>) -> Result<Bytes, TransportError> {
        let sent = Changes::read(&changes).expect("a replica's message can be read");
        self.program().desk.send(&sent);
        self.step().await;
        let answer = self.carry(changes).await;
        self.step().await;
        let answer = answer?;
        let outcomes = Outcomes::read(&answer).expect("a server's answer can be read");
        self.program().desk.answered(&sent, &outcomes);
        Ok(answer)
    }
}

impl Network {
    /// A page has come to the device: it must be of rows that `member` sees.
    fn receive(&self, line: &[u8], member: &Member) {
        let page: Value = serde_json::from_slice(line).expect("a server's message is JSON");
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
