//! What a replica passes to `download`: a timestamp per table, or the token of its last download.

use super::table::Request;
use crate::origin::{Origin, Standing};
use crate::since::Since;
use crate::table::TableDefinition;
use crate::token::{TableState, Token};
use std::collections::BTreeSet;
use std::marker::PhantomData;

/// From where each table of the group `G` is downloaded.
///
/// Made from a tuple with one `Option<DateTime<Utc>>` or one [`Since`] per table, or from a [`Token`]; `Timestamps::default()` is the beginning.
///
#[doc = include_str!("../../docs/examples/timestamps.md")]
pub struct Timestamps<G> {
    asked: Asked,
    group: PhantomData<fn() -> G>,
}

enum Asked {
    Beginning,
    Bare(Vec<Since>),
    Token(Token),
}

impl<G> std::fmt::Debug for Timestamps<G> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.asked {
            Asked::Beginning => f.write_str("Timestamps(beginning)"),
            Asked::Bare(tables) => f.debug_tuple("Timestamps").field(tables).finish(),
            Asked::Token(token) => f.debug_tuple("Timestamps").field(token).finish(),
        }
    }
}

impl<G> Clone for Timestamps<G> {
    fn clone(&self) -> Self {
        let asked = match &self.asked {
            Asked::Beginning => Asked::Beginning,
            Asked::Bare(tables) => Asked::Bare(tables.clone()),
            Asked::Token(token) => Asked::Token(token.clone()),
        };
        Timestamps {
            asked,
            group: PhantomData,
        }
    }
}

impl<G> Default for Timestamps<G> {
    fn default() -> Self {
        Timestamps {
            asked: Asked::Beginning,
            group: PhantomData,
        }
    }
}

impl<G> From<Token> for Timestamps<G> {
    fn from(token: Token) -> Self {
        Timestamps {
            asked: Asked::Token(token),
            group: PhantomData,
        }
    }
}

impl<G> From<&Token> for Timestamps<G> {
    fn from(token: &Token) -> Self {
        token.clone().into()
    }
}

impl<G> Timestamps<G> {
    pub(crate) fn bare(tables: Vec<Since>) -> Self {
        Timestamps {
            asked: Asked::Bare(tables),
            group: PhantomData,
        }
    }

    /// The generations that the token knows, of the tables named `definitions`.
    #[cfg(any(feature = "async-postgres", feature = "async-sqlite"))]
    pub(crate) fn generations(&self, definitions: &[&'static TableDefinition]) -> Vec<Option<i64>> {
        let requests = requests(self, definitions, Standing::Same);
        requests
            .into_iter()
            .map(|request| request.state.and_then(|state| state.generation))
            .collect()
    }

    /// The digests of the keys that whoever asks holds.
    pub(crate) fn held(&self) -> BTreeSet<String> {
        match &self.asked {
            Asked::Token(token) => token.held(),
            _ => BTreeSet::new(),
        }
    }

    /// The token says when something was tried last, so that what is read depends on the database's time.
    #[cfg(any(feature = "async-postgres", feature = "async-sqlite"))]
    pub(crate) fn are_dated(&self) -> bool {
        let Asked::Token(token) = &self.asked else {
            return false;
        };
        let mut aside = token.tables.iter().filter_map(|table| table.aside.as_ref());
        aside.any(|aside| aside.since.is_some())
    }

    /// The origin that the token is of.
    pub(crate) fn origin(&self) -> Origin {
        match &self.asked {
            Asked::Token(token) => token.origin.clone(),
            _ => Origin::default(),
        }
    }
}

/// What is asked of each table of the group, of a database to which it stands so.
pub(crate) fn requests<G>(
    timestamps: &Timestamps<G>,
    definitions: &[&'static TableDefinition],
    standing: Standing,
) -> Vec<Request> {
    let request = |place: usize| match &timestamps.asked {
        Asked::Beginning => Request::default(),
        Asked::Bare(tables) => Request {
            since: tables.get(place).copied().unwrap_or_default(),
            ..Request::default()
        },
        Asked::Token(token) => {
            let name = &definitions[place].wire_name;
            let earlier = definitions[..place]
                .iter()
                .filter(|table| table.wire_name == *name)
                .count();
            let state = token
                .tables
                .iter()
                .filter(|state| state.name == *name)
                .nth(earlier)
                .cloned();
            let since = state.as_ref().and_then(TableState::instant);
            Request {
                since: since.into(),
                state,
                standing,
                asks_for_keys: token.asks_for_keys,
            }
        }
    };
    (0..definitions.len()).map(request).collect()
}
