//! Our downloads on an asynchronous connection, where cutoff and rows travel together.

use super::downloader::{Downloader, Tally};
use super::ledger::Line;
use super::replica::{Difference, Replica, Truth};
use super::run::Run;
use super::view::{Member, View};
use carburetor::group::{DownloadTablesAsync, SyncTables};
use carburetor::{Assumptions, SyncGroup, TableNews, Timestamps, Token};
use diesel::pg::Pg;
use diesel_async::{AsyncConnection, AsyncPgConnection};
use tokio::runtime::{Builder, Runtime};

/// A copy of both tables that is kept on `AsyncPgConnection`.
pub(super) struct AsyncFollower<A, E> {
    name: &'static str,
    runtime: Runtime,
    conn: AsyncPgConnection,
    view: View,
    assumptions: Assumptions,
    replica: Replica<A, E>,
    token: Option<Token>,
    downloads: u64,
    resets: u64,
    torn: u64,
}

impl<A: Line, E: Line> AsyncFollower<A, E> {
    pub(super) fn new(
        name: &'static str,
        url: &str,
        view: View,
        assumptions: Assumptions,
    ) -> Result<Self, String> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        let conn = runtime
            .block_on(AsyncPgConnection::establish(url))
            .map_err(|error| format!("{url}: {error}"))?;
        Ok(AsyncFollower {
            name,
            runtime,
            conn,
            view,
            assumptions,
            replica: Replica::new(),
            token: None,
            downloads: 0,
            resets: 0,
            torn: 0,
        })
    }
}

impl<A: Line, E: Line> Downloader<A, E> for AsyncFollower<A, E>
where
    (A, E): DownloadTablesAsync<Pg, Member> + SyncTables<News = (TableNews<A>, TableNews<E>)>,
{
    fn name(&self) -> &str {
        self.name
    }

    fn download(&mut self, _: &Run, _: &mut fastrand::Rng) -> Result<(), String> {
        let timestamps = self
            .token
            .as_ref()
            .map_or_else(Timestamps::default, Into::into);
        let group =
            SyncGroup::<(A, E), Member>::scoped(&self.view.member).assuming(self.assumptions);
        let response = self
            .runtime
            .block_on(group.download_async(&mut self.conn, timestamps))
            .map_err(|error| error.to_string())?;
        self.token = Some(response.next());
        let (accounts, entries) = response.into_tables();
        self.resets += u64::from(accounts.reset || entries.reset);
        self.replica.apply(accounts, entries, &self.view);
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
            needless_resets: self.resets.saturating_sub(1),
            torn: Some(self.torn),
        }
    }
}
