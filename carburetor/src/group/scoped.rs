//! A group as one scope shows it.

use crate::cutoff::Assumptions;
use std::marker::PhantomData;

/// A group as one scope shows it, made by [`SyncGroup::scoped`](super::SyncGroup::scoped).
///
#[doc = include_str!("../../docs/examples/scoped.md")]
pub struct Scoped<'s, T, S> {
    scope: &'s S,
    assumptions: Assumptions,
    tables: PhantomData<fn() -> T>,
}

impl<T, S> std::fmt::Debug for Scoped<'_, T, S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scoped")
            .field("assumptions", &self.assumptions)
            .finish_non_exhaustive()
    }
}

impl<'s, T, S> Scoped<'s, T, S> {
    pub(super) fn new(scope: &'s S) -> Self {
        Scoped {
            scope,
            assumptions: Assumptions::default(),
            tables: PhantomData,
        }
    }

    /// Relies on `assumptions` about the server instead of the default ones.
    ///
    #[doc = include_str!("../../docs/examples/scoped_assuming.md")]
    pub fn assuming(self, assumptions: Assumptions) -> Self {
        Scoped {
            assumptions,
            ..self
        }
    }

    pub(crate) fn scope(&self) -> &'s S {
        self.scope
    }

    pub(crate) fn assumptions(&self) -> &Assumptions {
        &self.assumptions
    }
}
