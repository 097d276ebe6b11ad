//! A network that fails.

use crate::replica::{Transport, TransportError};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What goes wrong with one request.
///
#[doc = include_str!("../../docs/examples/faulty.md")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The request gets lost: the server never hears of it.
    LoseRequest,
    /// The server takes the upload, and its answer gets lost.
    LoseAnswer,
    /// The upload is late: the replica hears nothing, and the server gets it when [`Faulty::arrive`] is called, perhaps after later ones.
    Delay,
    /// The server gets the upload twice, one after the other.
    Repeat,
    /// The download, or the feed, breaks off after so many pages.
    Cut {
        /// How many pages come before.
        pages: usize,
    },
}

/// What goes wrong from now on, as a test says or as a seed does. Clones are one.
///
#[doc = include_str!("../../docs/examples/faulty.md")]
#[derive(Clone, Default)]
pub struct Faults(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    is_offline: bool,
    next: VecDeque<Fault>,
    rng: Option<fastrand::Rng>,
    delayed: VecDeque<Vec<u8>>,
}

impl State {
    /// Whether this happens now: because it is its turn, or as often as once in so many times.
    fn happens(&mut self, fault: Fault, one_in: u32) -> bool {
        match self.next.iter().position(|next| *next == fault) {
            Some(place) => self.next.remove(place).is_some(),
            None => self.rng.as_mut().is_some_and(|rng| rng.u32(0..one_in) == 0),
        }
    }

    fn reach(&mut self) -> Result<(), TransportError> {
        match self.is_offline || self.happens(Fault::LoseRequest, 8) {
            true => Err(lost()),
            false => Ok(()),
        }
    }

    /// After how many pages the next download breaks off.
    fn cut(&mut self) -> Option<usize> {
        let mut next = self.next.iter();
        let cut = |fault: &Fault| matches!(fault, Fault::Cut { .. });
        if let Some(Fault::Cut { pages }) =
            next.position(cut).and_then(|place| self.next.remove(place))
        {
            return Some(pages);
        }
        let rng = self.rng.as_mut()?;
        (rng.u32(0..4) == 0).then(|| rng.usize(0..4))
    }
}

fn lost() -> TransportError {
    TransportError::Offline("the message got lost, as the test wants it".into())
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Faults").field(&self.state().next).finish()
    }
}

impl Faults {
    /// Faults by a seed: of all requests one in 8 gets lost, of uploads one in 8 is late, one in 8 repeated, and of one in 5 the answer gets lost; of
    /// downloads one in 4 breaks off after 0 to 3 pages. The same seed brings the same.
    ///
    /// ```
    /// let faults = carburetor::testing::Faults::by_seed(18);
    /// faults.heal();
    /// ```
    pub fn by_seed(seed: u64) -> Self {
        let faults = Faults::default();
        faults.state().rng = Some(fastrand::Rng::with_seed(seed));
        faults
    }

    /// `fault` befalls the next request that it can befall, once. Of several, each waits for its own.
    ///
    /// ```
    /// use carburetor::testing::{Fault, Faults};
    /// let faults = Faults::default();
    /// faults.next(Fault::LoseAnswer);
    /// faults.next(Fault::Cut { pages: 2 });
    /// ```
    pub fn next(&self, fault: Fault) {
        self.state().next.push_back(fault);
    }

    /// Nothing gets through, also of a download that has begun, until it is set otherwise.
    ///
    /// ```
    /// carburetor::testing::Faults::default().set_offline(true);
    /// ```
    pub fn set_offline(&self, is_offline: bool) {
        self.state().is_offline = is_offline;
    }

    /// From now on nothing goes wrong. What is late can still arrive.
    ///
    /// ```
    /// carburetor::testing::Faults::by_seed(18).heal();
    /// ```
    pub fn heal(&self) {
        let mut state = self.state();
        state.is_offline = false;
        state.next.clear();
        state.rng = None;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The pages, as many as come.
    fn pages(
        self,
        cut: Option<usize>,
        lines: impl Stream<Item = Result<Bytes, TransportError>> + Send,
    ) -> impl Stream<Item = Result<Bytes, TransportError>> + Send {
        let most = cut.map_or(usize::MAX, |pages| pages.saturating_add(1));
        lines.take(most).enumerate().map(move |(number, line)| {
            match cut == Some(number) || self.state().is_offline {
                true => Err(lost()),
                false => line,
            }
        })
    }
}

/// A [`Transport`] over a network that fails as its [`Faults`] say: for tests of programs that work offline. Clones are one.
///
#[doc = include_str!("../../docs/examples/faulty.md")]
pub struct Faulty<T> {
    inner: Arc<T>,
    faults: Faults,
}

impl<T> Clone for Faulty<T> {
    fn clone(&self) -> Self {
        Faulty {
            inner: self.inner.clone(),
            faults: self.faults.clone(),
        }
    }
}

impl<T> fmt::Debug for Faulty<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Faulty").field(&self.faults).finish()
    }
}

impl<T: Transport> Faulty<T> {
    /// The way of `inner`, with these faults.
    ///
    #[doc = include_str!("../../docs/examples/faulty.md")]
    pub fn new(inner: T, faults: Faults) -> Self {
        Faulty {
            inner: Arc::new(inner),
            faults,
        }
    }

    /// Brings one of the uploads that are late to the server, by a seed any of them, otherwise the first. The answer reaches no replica: it is
    /// returned. None if nothing is late.
    ///
    #[doc = include_str!("../../docs/examples/faulty_arrive.md")]
    ///
    /// # Errors
    ///
    /// That of `inner`: the server refuses the upload, or can't be reached.
    pub async fn arrive(&self) -> Option<Result<Bytes, TransportError>> {
        let late = {
            let mut state = self.faults.state();
            let State { rng, delayed, .. } = &mut *state;
            let place = match rng {
                Some(rng) if !delayed.is_empty() => rng.usize(0..delayed.len()),
                _ => 0,
            };
            delayed.remove(place)
        };
        Some(self.inner.upload(late?).await)
    }

    /// What a download begins with: after how many pages it breaks off.
    fn begin(&self) -> Result<Option<usize>, TransportError> {
        let mut state = self.faults.state();
        state.reach()?;
        Ok(state.cut())
    }
}

impl<T: Transport> Transport for Faulty<T> {
    async fn download(
        &self,
        since: Option<&str>,
        limit: u32,
    ) -> Result<impl Stream<Item = Result<Bytes, TransportError>> + Send, TransportError> {
        let cut = self.begin()?;
        let lines = self.inner.download(since, limit).await?;
        Ok(self.faults.clone().pages(cut, lines))
    }

    async fn feed(
        &self,
        since: Option<&str>,
        limit: u32,
    ) -> Result<impl Stream<Item = Result<Bytes, TransportError>> + Send, TransportError> {
        let cut = self.begin()?;
        let lines = self.inner.feed(since, limit).await?;
        Ok(self.faults.clone().pages(cut, lines))
    }

    async fn upload(&self, changes: Vec<u8>) -> Result<Bytes, TransportError> {
        let (is_repeated, is_lost) = {
            let mut state = self.faults.state();
            state.reach()?;
            if state.happens(Fault::Delay, 8) {
                state.delayed.push_back(changes);
                return Err(lost());
            }
            let is_repeated = state.happens(Fault::Repeat, 8);
            (is_repeated, state.happens(Fault::LoseAnswer, 5))
        };
        if is_repeated {
            self.inner.upload(changes.clone()).await?;
        }
        let answer = self.inner.upload(changes).await?;
        match is_lost {
            true => Err(lost()),
            false => Ok(answer),
        }
    }
}
