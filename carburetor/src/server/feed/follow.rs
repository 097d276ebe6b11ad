//! One follower: reads what is new by himself, then is told what changes, and reads by himself again when he has fallen behind.

use super::channel::Joined;
use super::channels::{BackendOf, Subscription};
use crate::server::database::Database;
use crate::server::handover::Pages;
use crate::server::meter;
use crate::server::problem::Problem;
use crate::server::served::{Served, ServedGroup};
use crate::token::Token;
use std::time::Duration;

/// How long a follower waits who reads less than a page, and still isn't let in: the database fails, or others write much.
const PAUSE: Duration = Duration::from_millis(100);

/// Sends pages until nobody takes them.
pub(super) async fn follow<G, D>(
    served: &Served<D>,
    scope: &G::Scope,
    mut since: Option<Token>,
    limit: u32,
    subscription: &Subscription<BackendOf<D>>,
    pages: &Pages,
) -> Result<(), Problem>
where
    D: Database,
    G: ServedGroup<D::Connection>,
{
    loop {
        // Reading takes room that an idle feed has no use for.
        let reading = Box::pin(G::pages(served, scope, since, limit, true, pages));
        let Some(token) = reading.await? else {
            return Ok(());
        };
        since = Some(token.clone());
        let Joined::Live(first, mut followed) = subscription.join(token).await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let mut told = first;
        loop {
            if let Some(page) = told {
                since = page.next().parse().ok();
                meter::told(&served.name, &page);
                if pages.send(Ok(page)).await.is_err() {
                    return Ok(());
                }
            }
            told = tokio::select! {
                page = followed.recv() => match page {
                    Ok(page) => Some(page),
                    Err(_) => break,
                },
                () = pages.closed() => return Ok(()),
            };
        }
    }
}
