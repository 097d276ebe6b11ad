//! One follower: reads what is new by himself, then is told what changes, and reads by himself again when he has fallen behind, or may see something else.

use super::channel::Joined;
use super::channels::{BackendOf, Channels, Subscription};
use crate::backend::SyncBackend;
use crate::connection::SyncConnectionAsync;
use crate::server::apart::until;
use crate::server::caller::Asked;
use crate::server::database::Database;
use crate::server::handover::Pages;
use crate::server::meter;
use crate::server::problem::Problem;
use crate::server::served::{Served, ServedGroup};
use crate::token::Token;
use std::sync::Arc;
use std::time::Duration;

/// How long a follower waits who reads less than a page, and still isn't let in: the database fails, or others write much.
const PAUSE: Duration = Duration::from_millis(100);

/// One follower.
pub(super) struct Follower<S, DB: SyncBackend> {
    pub(super) caller: Asked<S>,
    pub(super) scope: Arc<S>,
    pub(super) subscription: Arc<Subscription<DB>>,
    pub(super) limit: u32,
}

impl<S: Send + Sync + 'static, DB: SyncBackend> Follower<S, DB> {
    /// Sends pages until nobody takes them, or the caller is refused.
    pub(super) async fn follow<G, D>(
        mut self,
        served: Arc<Served<D>>,
        channels: Arc<Channels<BackendOf<D>>>,
        pages: Arc<Pages>,
    ) -> Result<(), Problem>
    where
        D: Database,
        D::Connection: SyncConnectionAsync<Database = DB>,
        G: ServedGroup<D::Connection, Scope = S>,
    {
        loop {
            let within = within::<G, D>(
                Arc::clone(&served),
                Arc::clone(&self.scope),
                self.limit,
                Arc::clone(&self.subscription),
                Arc::clone(&pages),
            );
            let changed = async {
                let caller = &mut self.caller;
                let changed = caller.changed::<G, D>(&served, &pages, &self.scope).await;
                // What was read within what he could see before: it isn't taken while the reading is dropped.
                match &changed {
                    Ok(_) => pages.take_back(),
                    Err(problem) => pages.end(problem.clone()),
                }
                changed
            };
            let (scope, recalls) = match until(within, changed).await {
                Ok(done) => return done,
                Err(changed) => changed?,
            };
            // What he holds tells the keys by their digests only, where they are many: it is known here which they are.
            if let Some(mut given) = pages.given().filter(Token::lacks_keys) {
                G::fill(&self.scope, &mut given)?;
                pages.go_on_from(&given);
            }
            let subscription = channels.subscribe::<G, D>(&served, &scope)?;
            self.subscription = Arc::new(subscription);
            self.scope = scope;
            pages.go_on(recalls);
        }
    }
}

/// Sends pages of one scope, until nobody takes them.
async fn within<G, D>(
    served: Arc<Served<D>>,
    scope: Arc<G::Scope>,
    limit: u32,
    subscription: Arc<Subscription<BackendOf<D>>>,
    pages: Arc<Pages>,
) -> Result<(), Problem>
where
    D: Database,
    G: ServedGroup<D::Connection>,
{
    loop {
        // Reading takes room that an idle feed has no use for.
        let since = pages.given();
        let reading = Box::pin(G::pages(&served, &scope, since, limit, true, &pages));
        let Some(token) = reading.await? else {
            return Ok(());
        };
        let Joined::Live(first, mut followed) = subscription.join(token).await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let mut told = first;
        loop {
            if let Some(page) = told {
                meter::told(&served.name, &page);
                if pages.send_copy(&page).await?.is_err() {
                    return Ok(());
                }
            }
            told = tokio::select! {
                page = followed.recv() => match page {
                    Ok(page) => Some(page.map_err(|problem| *problem)?),
                    Err(_) => break,
                },
                () = pages.closed() => return Ok(()),
            };
        }
    }
}
