//! Whether an installation belongs to a transaction of the caller's.

use crate::connection::SyncConnection;
use diesel::QueryResult;
use diesel::connection::TransactionManager;

/// Whether the caller has a transaction open.
pub(super) fn in_transaction<C: SyncConnection>(conn: &mut C) -> QueryResult<bool> {
    let status = C::TransactionManager::transaction_manager_status_mut(conn);
    status.transaction_depth().map(|depth| depth.is_some())
}
