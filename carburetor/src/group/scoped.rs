//! A group as one scope shows it.

use crate::cutoff::Assumptions;
use std::marker::PhantomData;

/// A group as one scope shows it, made by [`SyncGroup::scoped`](super::SyncGroup::scoped).
///
#[doc = include_str!("../../docs/examples/scoped.md")]
pub struct Scoped<'s, T, S> {
    scope: &'s S,
    assumptions: Assumptions,
    refuses_unreadable: bool,
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
            refuses_unreadable: false,
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

    /// A download fails as a whole when a row can't be read; otherwise the row is told, and the others come.
    ///
    #[doc = include_str!("../../docs/examples/scoped_refuse_unreadable.md")]
    pub fn refuse_unreadable(self) -> Self {
        Scoped {
            refuses_unreadable: true,
            ..self
        }
    }

    pub(crate) fn refuses_unreadable(&self) -> bool {
        self.refuses_unreadable
    }

    pub(crate) fn scope(&self) -> &'s S {
        self.scope
    }

    pub(crate) fn assumptions(&self) -> &Assumptions {
        &self.assumptions
    }
}
