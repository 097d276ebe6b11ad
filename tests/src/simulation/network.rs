//! The network between a replica and the server: it loses, delays, repeats and reorders, and a process may end at any of its steps.

use super::models::{Member, Web};
use super::server::Server;
use bytes::Bytes;
use carburetor::change::Changes;
use carburetor::outcome::Outcomes;
use carburetor::replica::{InProcess, Transport, TransportError};
use diesel::sqlite::SqliteConnection;
use fastrand::Rng;
use futures_util::{Stream, StreamExt};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A replica's way to the server.
#[derive(Clone)]
pub(super) struct Network {
    server: Arc<Server>,
    state: Arc<Mutex<State>>,
}

/// What the network is like, and what it has seen.
pub(super) struct State {
    rng: Rng,
    /// Who is at the other end, as the server knows it.
    pub(super) member: Member,
    /// Nothing goes wrong.
    pub(super) is_healed: bool,
    /// The process ends at the step that this many others precede.
    pub(super) crash_in: Option<u32>,
    has_crashed: bool,
    crashes: u64,
    /// Uploads that are still on their way.
    delayed: Vec<(Vec<u8>, Member)>,
    /// Every answer that the server gave, delivered or not.
    pub(super) answers: Vec<(Changes, Outcomes)>,
    /// What no replica may ever be sent.
    pub(super) breaches: Vec<String>,
}

impl State {
    fn fault(&mut self, one_in: u32) -> bool {
        !self.is_healed && self.rng.u32(0..one_in) == 0
    }
}

impl Network {
    pub(super) fn new(server: Arc<Server>, member: Member, seed: u64) -> Self {
        let state = State {
            rng: Rng::with_seed(seed),
            member,
            is_healed: false,
            crash_in: None,
            has_crashed: false,
            crashes: 0,
            delayed: Vec::new(),
            answers: Vec::new(),
            breaches: Vec::new(),
        };
        Network {
            server,
            state: Arc::new(Mutex::new(state)),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn way(&self, member: Member) -> InProcess<Web, Member, SqliteConnection> {
        InProcess::new(member, self.server.connector())
    }

    /// A step at which the process may end: it is then never heard of again.
    async fn step(&self) {
        let ends = {
            let mut state = self.state();
            match state.crash_in {
                Some(0) => {
                    state.crash_in = None;
                    state.has_crashed = true;
                    state.crashes += 1;
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

    /// How often it has.
    pub(super) fn crashes(&self) -> u64 {
        self.state().crashes
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
        let _ = self.take(late.0, late.1).await;
    }

    /// The server takes an upload.
    async fn take(&self, changes: Vec<u8>, member: Member) -> Result<Bytes, TransportError> {
        let answer = Transport::upload(&self.way(member), changes.clone()).await?;
        let sent = Changes::read(&changes).expect("a replica's message can be read");
        let outcomes = Outcomes::read(&answer).expect("a server's answer can be read");
        assert_eq!(
            sent.changes.len(),
            outcomes.outcomes.len(),
            "one outcome per change"
        );
        self.state().answers.push((sent, outcomes));
        Ok(answer)
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
        let way = self.way(member.clone());
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
                let foreign = super::check::foreign(&line, &member);
                network.state().breaches.extend(foreign);
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
        self.step().await;
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
            self.take(changes.clone(), member.clone()).await?;
        }
        let answer = self.take(changes, member).await?;
        self.step().await;
        match is_lost {
            true => Err(lost()),
            false => Ok(answer),
        }
    }
}
