//! Constraints that wait for the commit.

use crate::connection::runner::Runner;
use crate::statement::Statement;
use crate::upload::UploadBackend;
use crate::upload::session::Session;
use diesel::QueryResult;
use diesel::result::{DatabaseErrorKind, Error};

impl<R: Runner> Session<'_, '_, R> {
    /// Looks at what the transaction did before the upload: what breaks a constraint by then is not the changes' fault.
    pub(in crate::upload) async fn begin_deferred(&mut self) -> QueryResult<()> {
        self.check_deferred().await?;
        self.broken = Some(self.count_deferred().await?);
        Ok(())
    }

    /// Has constraints that wait for the commit checked now.
    pub(in crate::upload) async fn check_deferred(&mut self) -> QueryResult<()> {
        if let Some(statement) = R::Backend::CHECK_DEFERRED {
            self.runner.execute(statement).await?;
        }
        let Some(broken) = self.broken else {
            return Ok(());
        };
        match self.count_deferred().await? > broken {
            true => Err(Error::DatabaseError(
                DatabaseErrorKind::ForeignKeyViolation,
                Box::new("FOREIGN KEY constraint failed".to_owned()),
            )),
            false => Ok(()),
        }
    }

    async fn count_deferred(&mut self) -> QueryResult<u64> {
        let Some(question) = R::Backend::COUNT_DEFERRED else {
            return Ok(0);
        };
        let mut counted = self.runner.ask(Statement::of(question)).await?.values();
        Ok(counted
            .next()
            .and_then(|count| count.parse().ok())
            .unwrap_or_default())
    }
}
