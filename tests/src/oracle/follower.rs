//! Our downloads, in every way that the library offers.

use super::downloader::{Downloader, Tally};
use super::ledger::{Line, TEAMS};
use super::replica::{Difference, Replica, Truth};
use super::run::Run;
use super::view::View;
use carburetor::group::{DownloadTables, SyncTables};
use carburetor::table::TableOn;
use carburetor::wire::WireTables;
use carburetor::{
    Assumptions, DownloadError, SyncConnection, SyncGroup, TableNews, Timestamps, Token,
};
use chrono::{DateTime, Utc};
use std::marker::PhantomData;

use super::view::Member;

/// How it downloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Table by table.
    Plain,
    /// All tables at one instant.
    Consistent,
    /// By pages of so many lines.
    Pages(u32),
    /// As JSON, which is read back.
    Json,
}

/// What it keeps between two downloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keep {
    Timestamps,
    Token,
    /// A token, while the scope is another one every now and then.
    TokenOfChangingScope,
}

const TABLES: u64 = 2;

/// The cutoffs of both tables.
type Cutoffs = (Option<DateTime<Utc>>, Option<DateTime<Utc>>);

/// One copy that our downloads keep of the group `T`.
pub(super) struct Follower<T, A, E, C> {
    name: &'static str,
    conn: C,
    view: View,
    way: Way,
    keep: Keep,
    assumptions: Assumptions,
    replica: Replica<A, E>,
    cutoffs: Cutoffs,
    token: Option<Token>,
    downloads: u64,
    torn: u64,
    /// Resets of tables.
    resets: u64,
    /// How often both tables had to be reset.
    beginnings: u64,
    group: PhantomData<fn() -> T>,
}

impl<T, A: Line, E: Line, C> Follower<T, A, E, C> {
    pub(super) fn new(
        name: &'static str,
        conn: C,
        view: View,
        way: Way,
        keep: Keep,
        assumptions: Assumptions,
    ) -> Self {
        Follower {
            name,
            conn,
            view,
            way,
            keep,
            assumptions,
            replica: Replica::new(),
            cutoffs: (None, None),
            token: None,
            downloads: 0,
            torn: 0,
            resets: 0,
            beginnings: 1,
            group: PhantomData,
        }
    }
}

impl<T, A, E, C> Follower<T, A, E, C>
where
    C: SyncConnection,
    T: DownloadTables<C::Backend, Member>
        + WireTables<C::Backend>
        + SyncTables<News = (TableNews<A>, TableNews<E>)>,
    A: Line + TableOn<C::Backend>,
    E: Line + TableOn<C::Backend>,
    Timestamps<SyncGroup<T, Member>>: From<Cutoffs>,
{
    fn timestamps(&self) -> Timestamps<SyncGroup<T, Member>> {
        match (&self.token, self.keep) {
            (_, Keep::Timestamps) => self.cutoffs.into(),
            (Some(token), _) => token.into(),
            (None, _) => Timestamps::default(),
        }
    }

    fn step(&mut self, run: &Run) -> Result<(), DownloadError> {
        let timestamps = self.timestamps();
        let group = SyncGroup::<T, Member>::scoped(&self.view.member).assuming(self.assumptions);
        let response = match self.way {
            Way::Plain => group.download(&mut self.conn, timestamps)?,
            Way::Consistent => group.download_consistent(&mut self.conn, timestamps)?,
            Way::Json => {
                let mut json = Vec::new();
                group.download_json(&mut self.conn, timestamps, &mut json)?;
                SyncGroup::<T, Member>::read_json::<C::Backend>(&json)?
            }
            Way::Pages(limit) => {
                let mut pages = group.pages(timestamps, limit);
                while let Some(page) = pages.next(&mut self.conn)? {
                    if run.overdue() {
                        return Err(std::io::Error::other("the pages don't end").into());
                    }
                    let (accounts, entries) = page.into_tables();
                    self.resets += u64::from(accounts.reset) + u64::from(entries.reset);
                    self.replica.apply(accounts, entries, &self.view);
                }
                self.token = pages.token()?;
                return Ok(());
            }
        };
        let token = response.next();
        let news = response.into_tables();
        self.cutoffs = (Some(news.0.cutoff), Some(news.1.cutoff));
        self.token = Some(token.to_string().parse()?);
        self.resets += u64::from(news.0.reset) + u64::from(news.1.reset);
        self.replica.apply(news.0, news.1, &self.view);
        Ok(())
    }

    /// Another scope: one or two teams.
    fn wander(&mut self, random: &mut fastrand::Rng) {
        let first = random.usize(..TEAMS.len());
        let second = random.usize(..TEAMS.len());
        self.view.member = Member::of(&[TEAMS[first], TEAMS[second]]);
        self.replica.forget_removed();
        self.beginnings += 1;
    }
}

impl<T, A, E, C> Downloader<A, E> for Follower<T, A, E, C>
where
    C: SyncConnection + Send,
    T: DownloadTables<C::Backend, Member>
        + WireTables<C::Backend>
        + SyncTables<News = (TableNews<A>, TableNews<E>)>,
    A: Line + TableOn<C::Backend>,
    E: Line + TableOn<C::Backend>,
    Timestamps<SyncGroup<T, Member>>: From<Cutoffs>,
{
    fn name(&self) -> &str {
        self.name
    }

    fn download(&mut self, run: &Run, random: &mut fastrand::Rng) -> Result<(), String> {
        if self.keep == Keep::TokenOfChangingScope && random.u8(..8) == 0 {
            self.wander(random);
        }
        self.step(run).map_err(|error| error.to_string())?;
        self.downloads += 1;
        self.torn += u64::from(self.replica.torn());
        Ok(())
    }

    fn compare(&self, truth: &Truth<A, E>) -> Difference {
        self.replica.compare(truth, &self.view)
    }

    fn tally(&self) -> Tally {
        Tally {
            downloads: self.downloads,
            delivered: self.replica.delivered,
            fresh: self.replica.fresh,
            needless_resets: self.resets.saturating_sub(TABLES * self.beginnings),
            torn: (!self.view.published).then_some(self.torn),
        }
    }
}
