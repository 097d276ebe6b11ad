//! A statement under construction: the library's own SQL with pieces of Diesel's query builder in it.

use crate::backend::SyncBackend;
use diesel::QueryResult;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::Untyped;

/// What a scope or a bind is to a statement.
pub(crate) type Fragment<'a, DB> = dyn QueryFragment<DB> + Send + Sync + 'a;

/// SQL text and fragments, in order.
pub(crate) struct Statement<'a, DB: SyncBackend> {
    parts: Vec<Part<'a, DB>>,
    cached: bool,
}

enum Part<'a, DB> {
    Sql(String),
    Borrowed(&'a Fragment<'a, DB>),
    Owned(Box<Fragment<'a, DB>>),
}

impl<'a, DB: SyncBackend> Statement<'a, DB> {
    pub(crate) fn new() -> Self {
        Statement {
            parts: Vec::new(),
            cached: true,
        }
    }

    /// A statement without binds.
    pub(crate) fn of(sql: impl Into<String>) -> Self {
        let mut statement = Self::new();
        statement.sql(sql);
        statement
    }

    /// The same statement, prepared for this once only: there may be many of it.
    pub(crate) fn uncached(self) -> Self {
        Statement {
            cached: false,
            ..self
        }
    }

    /// `sql` and this statement.
    pub(crate) fn after(mut self, sql: impl Into<String>) -> Self {
        self.parts.insert(0, Part::Sql(sql.into()));
        self
    }

    pub(crate) fn sql(&mut self, sql: impl Into<String>) -> &mut Self {
        self.parts.push(Part::Sql(sql.into()));
        self
    }

    pub(crate) fn fragment(&mut self, fragment: &'a Fragment<'a, DB>) -> &mut Self {
        self.parts.push(Part::Borrowed(fragment));
        self
    }

    pub(crate) fn bind(&mut self, bind: impl QueryFragment<DB> + Send + Sync + 'a) -> &mut Self {
        self.parts.push(Part::Owned(Box::new(bind)));
        self
    }
}

impl<DB: SyncBackend> QueryFragment<DB> for Statement<'_, DB> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        if !self.cached {
            out.unsafe_to_cache_prepared();
        }
        for part in &self.parts {
            match part {
                Part::Sql(sql) => out.push_sql(sql),
                Part::Borrowed(fragment) => fragment.walk_ast(out.reborrow())?,
                Part::Owned(fragment) => fragment.walk_ast(out.reborrow())?,
            }
        }
        Ok(())
    }
}

impl<DB: SyncBackend> Query for Statement<'_, DB> {
    type SqlType = Untyped;
}

impl<DB: SyncBackend> QueryId for Statement<'_, DB> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

/// Text as a bind.
pub(crate) struct Text(pub(crate) String);

impl<DB: SyncBackend> QueryFragment<DB> for Text {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        DB::push_text(&self.0, out)
    }
}

/// A whole number as a bind: statements that differ by it alone are prepared once.
pub(crate) struct Integer(pub(crate) i64);

impl<DB: SyncBackend> QueryFragment<DB> for Integer {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        DB::push_integer(&self.0, out)
    }
}
