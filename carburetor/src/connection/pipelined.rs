//! Statements on `AsyncPgConnection`: sent one after the other without waiting for the answers.

use super::asynchronous::take;
use super::{PacedRows, SharedConnection, SyncConnectionAsync};
use crate::statement::Statement;
use diesel::pg::Pg;
use diesel_async::{AsyncConnectionCore, AsyncPgConnection};

impl SyncConnectionAsync for AsyncPgConnection {
    type Database = Pg;
    type Shared<'c> = &'c AsyncPgConnection;
    const PIPELINED: bool = true;

    fn share(&mut self) -> &AsyncPgConnection {
        self
    }
}

#[allow(
    private_interfaces,
    private_bounds,
    reason = "sealed by its hidden method: nobody else calls it"
)]
impl SharedConnection<Pg> for &AsyncPgConnection {
    fn run<T>(
        &self,
        statement: Statement<'_, Pg>,
        rows: &mut T,
    ) -> impl Future<Output = Result<(), T::Error>> + Send
    where
        T: PacedRows<Pg>,
    {
        let mut conn: &AsyncPgConnection = self;
        let loading = conn.load(statement);
        async move { take(loading.await?, rows).await }
    }
}
