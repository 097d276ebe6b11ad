//! What read replicas have in the place of a cutoff.

use crate::connection::SyncConnectionAsync;
use crate::tracking::runner::Awaiting;
use crate::tracking::upkeep::watermark_by;
use chrono::{DateTime, Utc};
use diesel::QueryResult;
use diesel::pg::Pg;

/// Moves the watermark on a primary, every second or so, and returns it. See [`watermark`](crate::tracking::watermark()).
///
/// ```
/// # #[cfg(feature = "async-postgres")] {
/// use diesel_async::AsyncPgConnection;
/// async fn every_second(conn: &mut AsyncPgConnection) -> diesel::QueryResult<()> {
///     let complete_until = carburetor::tracking::watermark_async(conn).await?;
///     println!("read replicas answer until {complete_until}");
///     Ok(())
/// }
/// # }
/// ```
///
/// # Errors
///
/// As [`watermark`](crate::tracking::watermark()).
pub fn watermark_async<C>(conn: &mut C) -> impl Future<Output = QueryResult<DateTime<Utc>>> + Send
where
    C: SyncConnectionAsync<Database = Pg>,
{
    async move { watermark_by(&mut Awaiting::on(conn)).await }
}
