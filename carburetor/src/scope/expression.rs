//! An expression as SQL tokens: which columns it reads, and the same expression over the removals.
//!
//! A scope must not change what it shows unless a row is written, so everything that could is refused by name. The list below
//! says what is allowed; whatever stands on no list is refused too.

use super::token::{Token, tokens};
use crate::table::{TableDefinition, quoted};

/// Words that combine values of one row and nothing else.
const WORDS: &[&str] = &[
    "ALL",
    "AND",
    "ANY",
    "ARRAY",
    "BETWEEN",
    "CASE",
    "DISTINCT",
    "ELSE",
    "END",
    "ESCAPE",
    "FALSE",
    "FROM",
    "ILIKE",
    "IN",
    "IS",
    "ISNULL",
    "LIKE",
    "NOT",
    "NOTNULL",
    "NULL",
    "OR",
    "SIMILAR",
    "SYMMETRIC",
    "THEN",
    "TO",
    "TRUE",
    "UNKNOWN",
    "WHEN",
];

/// Functions whose result depends on their arguments alone.
const FUNCTIONS: &[&str] = &["ABS", "COALESCE", "LENGTH", "LOWER", "NULLIF", "UPPER"];

/// An expression that may serve as a scope or a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expression {
    pieces: Vec<Piece>,
    binds: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Column(String),
    Bind,
}

/// Why an expression can't be a scope or a filter.
///
/// ```
/// fn explain(error: &carburetor::ScopeError) -> String {
///     format!("leave `{}` out of the scope of {}: {}", error.culprit, error.table, error.remedy)
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScopeError {
    /// The table.
    pub table: String,
    /// The word, function or column that is refused.
    pub culprit: String,
    /// What to write instead.
    pub remedy: String,
}

impl std::fmt::Display for ScopeError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "the scope or filter of {} can't use `{}`: {}",
            self.table, self.culprit, self.remedy
        )
    }
}

impl std::error::Error for ScopeError {}

impl Expression {
    /// Judges `sql`, as Diesel rendered it for `table`; its binds begin with `placeholder`.
    pub(crate) fn parse(
        sql: &str,
        table: &TableDefinition,
        placeholder: char,
    ) -> Result<Self, ScopeError> {
        let refuse = |culprit: &str, remedy: &str| ScopeError {
            table: table.key(),
            culprit: culprit.into(),
            remedy: remedy.into(),
        };
        let mut pieces = Vec::new();
        let mut binds = 0;
        let mut rest = tokens(sql, placeholder)
            .map_err(|culprit| {
                refuse(
                    &culprit,
                    "write the expression with Diesel's columns and values",
                )
            })?
            .into_iter()
            .peekable();
        while let Some(token) = rest.next() {
            match token {
                Token::Name(name) => {
                    let mut path = vec![name];
                    while rest.next_if_eq(&Token::Symbol(".".into())).is_some() {
                        match rest.next() {
                            Some(Token::Name(name)) => path.push(name),
                            _ => {
                                return Err(refuse(&path.join("."), "name a column after the dot"));
                            }
                        }
                    }
                    pieces.push(Piece::Column(column(path, table)?));
                }
                Token::Bind => {
                    binds += 1;
                    pieces.push(Piece::Bind);
                }
                Token::Word(word) => {
                    let upper = word.to_ascii_uppercase();
                    let called = rest.peek() == Some(&Token::Symbol("(".into()));
                    if matches!(
                        upper.as_str(),
                        "SELECT" | "EXISTS" | "WITH" | "VALUES" | "TABLE"
                    ) {
                        return Err(refuse(
                            &word,
                            "a subquery changes what is visible without any row being written; load its rows into the scope value first",
                        ));
                    }
                    let allowed = WORDS.contains(&upper.as_str())
                        || called && FUNCTIONS.contains(&upper.as_str());
                    if !allowed {
                        return Err(refuse(
                            &word,
                            "it may change what is visible without any row being written; compute it first and bind it as a value",
                        ));
                    }
                    pieces.push(Piece::Text(word));
                }
                Token::Literal(text) | Token::Symbol(text) => pieces.push(Piece::Text(text)),
            }
        }
        Ok(Expression { pieces, binds })
    }

    /// How many binds it takes.
    pub(crate) fn binds(&self) -> usize {
        self.binds
    }

    /// The expression over a table with the same columns that goes by `alias`; its binds are numbered from `first`.
    pub(crate) fn over(&self, alias: &str, first: usize, placeholder: char) -> String {
        let mut next = first;
        let mut sql = String::new();
        for piece in &self.pieces {
            if !sql.is_empty() {
                sql.push(' ');
            }
            match piece {
                Piece::Text(text) => sql.push_str(text),
                Piece::Column(name) => {
                    sql.push_str(alias);
                    sql.push('.');
                    sql.push_str(&quoted(name));
                }
                Piece::Bind => {
                    sql.push(placeholder);
                    sql.push_str(&next.to_string());
                    next += 1;
                }
            }
        }
        sql
    }
}

/// The column at the end of `path`, if it is one of `table` that scopes may look at.
fn column(mut path: Vec<String>, table: &TableDefinition) -> Result<String, ScopeError> {
    let refuse = |culprit: String, remedy: &str| ScopeError {
        table: table.key(),
        culprit,
        remedy: remedy.into(),
    };
    let written = path.join(".");
    let name = path.pop().unwrap_or_default();
    let own = match path.as_slice() {
        [only] => *only == table.table,
        [schema, only] => Some(schema) == table.schema.as_ref() && *only == table.table,
        _ => false,
    };
    if !own {
        return Err(refuse(
            written,
            "only columns of the table itself can be looked at",
        ));
    }
    match table.columns.iter().find(|column| column.name == name) {
        Some(column) if column.visible_by || column.id => Ok(name),
        Some(_) => Err(refuse(
            written,
            "mark the field `#[sync(visible_by)]` and install the tracking again, so that removals know the column",
        )),
        None => Err(refuse(
            written,
            "add the column to the model, marked `#[sync(visible_by)]`",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::ColumnDefinition;

    fn games() -> TableDefinition {
        TableDefinition {
            wire_name: "games".into(),
            schema: Some("play".into()),
            table: "games".into(),
            columns: vec![
                ColumnDefinition {
                    id: true,
                    ..ColumnDefinition::new("id")
                },
                ColumnDefinition {
                    visible_by: true,
                    ..ColumnDefinition::new("te\"am")
                },
                ColumnDefinition::new("title"),
            ],
            ..TableDefinition::default()
        }
    }

    fn culprit(sql: &str) -> String {
        Expression::parse(sql, &games(), '$').unwrap_err().culprit
    }

    #[test]
    fn a_qualified_column_is_rendered_for_the_removals() {
        let expression = Expression::parse(
            r#"(("play"."games"."te""am" = ANY($1)) AND ("play"."games"."id" <> $2))"#,
            &games(),
            '$',
        )
        .unwrap();
        assert_eq!(expression.binds(), 2);
        assert_eq!(
            expression.over("r", 3, '$'),
            r#"( ( r."te""am" = ANY ( $3 ) ) AND ( r."id" <> $4 ) )"#
        );
    }

    #[test]
    fn what_could_change_without_a_write_is_refused_by_name() {
        assert_eq!(culprit(r#""play"."games"."id" < now()"#), "now");
        assert_eq!(
            culprit(r#""play"."games"."id" < CURRENT_TIMESTAMP"#),
            "CURRENT_TIMESTAMP"
        );
        assert_eq!(culprit(r#""play"."games"."id" IN (SELECT 1)"#), "SELECT");
        assert_eq!(culprit(r#""other"."games"."id" = $1"#), "other.games.id");
        assert_eq!(culprit(r#""members"."team" = $1"#), "members.team");
        assert_eq!(
            culprit(r#""play"."games"."title" = $1"#),
            "play.games.title"
        );
        assert_eq!(culprit(r#"team = 'now()'"#), "team");
        assert_eq!(culprit(r#""play"."games"."id" = 'a' -- b"#), "--");
    }

    #[test]
    fn words_inside_strings_are_strings() {
        let expression =
            Expression::parse(r#""play"."games"."id" = 'select ''now()'''"#, &games(), '$')
                .unwrap();
        assert_eq!(
            expression.over("r", 1, '$'),
            r#"r."id" = 'select ''now()'''"#
        );
    }

    #[test]
    fn placeholders_of_sqlite_are_numbered() {
        let expression = Expression::parse("`play`.`games`.`id` IN (?, ?)", &games(), '?').unwrap();
        assert_eq!(expression.over("r", 5, '?'), r#"r."id" IN ( ?5 , ?6 )"#);
    }
}
