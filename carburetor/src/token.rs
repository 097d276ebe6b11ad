//! The token: what one download tells the next one.

mod aside;
mod keys;

pub(crate) use aside::Aside;
pub(crate) use keys::{Written, digest};

use crate::hex::hex;
use crate::origin::Origin;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Datelike, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::borrow::Cow;

/// What `response.next()` returns and the next download takes: the cutoffs, and what bare timestamps can't carry.
///
/// Opaque text, safe in a URL. What comes after a point in it are the keys of a scope of many keys. The token is good without them, but where the keys have changed since, their tables
/// begin again then. A token that a table no longer fits (another filter or scope, other columns, a moved generation) resets that table.
///
/// ```
/// use carburetor::Token;
/// let kept: String = Token::default().to_string();
/// let token: Token = kept.parse()?;
/// assert_eq!(token, Token::default());
/// assert!("not a token".parse::<Token>().is_err());
/// # Ok::<(), carburetor::TokenError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Token {
    pub(crate) origin: Origin,
    pub(crate) tables: Vec<TableState>,
    /// Whoever sent it without its keys has them.
    pub(crate) asks_for_keys: bool,
}

/// Where the download of one table stands.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct TableState {
    #[serde(rename = "n")]
    pub(crate) name: String,
    /// The cutoff, in microseconds since 1970.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub(crate) since: Option<i64>,
    #[serde(rename = "f", default)]
    pub(crate) fingerprint: String,
    #[serde(rename = "g", default, skip_serializing_if = "Option::is_none")]
    pub(crate) generation: Option<i64>,
    /// The last id of an unfinished download from the beginning, whose cutoff is `since`.
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub(crate) after: Option<Value>,
    /// The table's horizon when it was read from the beginning, in microseconds, as long as the cutoff lies before it.
    #[serde(rename = "h", default, skip_serializing_if = "Option::is_none")]
    pub(crate) horizon: Option<i64>,
    /// The values of the key column that the scope showed.
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    pub(crate) keys: Option<Vec<Value>>,
    /// What tells them from others, where they stand beside the token.
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    pub(crate) digest: Option<String>,
    /// The rows that were set aside.
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    pub(crate) aside: Option<Aside>,
}

impl Token {
    /// Tells the database that the token is of from others; none if that has no origin yet.
    ///
    /// ```
    /// assert_eq!(carburetor::Token::default().origin(), None);
    /// ```
    pub fn origin(&self) -> Option<&str> {
        self.origin.name.as_deref()
    }

    /// Tells the scope that the token was made within from others.
    pub(crate) fn scope(&self) -> String {
        let tables = self.tables.iter();
        scope(tables.map(|table| (&*table.name, &*table.fingerprint, table.keys.as_deref())))
    }
}

/// Tells a scope from others, by the name, the fingerprint and the keys of each table.
pub(crate) fn scope<'t>(
    tables: impl Iterator<Item = (&'t str, &'t str, Option<&'t [Value]>)>,
) -> String {
    let mut hash = Sha256::new();
    for (name, fingerprint, keys) in tables {
        let mut keys: Vec<String> = keys
            .unwrap_or_default()
            .iter()
            .map(Value::to_string)
            .collect();
        keys.sort_unstable();
        hash.update(format!("{name:?} {fingerprint:?} {keys:?};"));
    }
    hex(&hash.finalize()[..8])
}

impl Token {
    fn encoded(&self, tables: &[TableState]) -> Result<String, std::fmt::Error> {
        let content = Content {
            v: crate::wire::VERSION,
            origin: self.origin.text(),
            tables: tables.into(),
        };
        let json = serde_json::to_vec(&content).map_err(|_| std::fmt::Error)?;
        Ok(URL_SAFE_NO_PAD.encode(json))
    }
}

impl TableState {
    /// The cutoff; an instant that no server can have returned counts as none.
    pub(crate) fn instant(&self) -> Option<DateTime<Utc>> {
        let instant = self.since.and_then(DateTime::from_timestamp_micros);
        instant.filter(|instant| (1..=9999).contains(&instant.year()))
    }
}

/// Text that is not a token of this version.
///
/// ```
/// let error = "x".parse::<carburetor::Token>().unwrap_err();
/// assert_eq!(error.to_string(), "not a token of this version: download from the beginning, without a token");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenError;

impl std::fmt::Display for TokenError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("not a token of this version: download from the beginning, without a token")
    }
}

impl std::error::Error for TokenError {}

#[derive(Serialize, Deserialize)]
struct Content<'c> {
    v: u32,
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    origin: Option<String>,
    #[serde(rename = "t")]
    tables: Cow<'c, [TableState]>,
}

impl From<Token> for String {
    fn from(token: Token) -> String {
        token.to_string()
    }
}

impl TryFrom<String> for Token {
    type Error = TokenError;

    fn try_from(text: String) -> Result<Self, TokenError> {
        text.parse()
    }
}

impl std::fmt::Display for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let written = self.written()?;
        f.write_str(&written.token)?;
        match &written.keys {
            Some(keys) => write!(f, ".{keys}"),
            None => Ok(()),
        }
    }
}

impl std::str::FromStr for Token {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        if let Some((token, keys)) = text.split_once('.') {
            return token.parse::<Token>()?.with_keys(keys);
        }
        let json = URL_SAFE_NO_PAD.decode(text).map_err(|_| TokenError)?;
        let content: Content<'_> = serde_json::from_slice(&json).map_err(|_| TokenError)?;
        match content.v {
            crate::wire::VERSION => Ok(Token {
                origin: content
                    .origin
                    .as_deref()
                    .map(Origin::read)
                    .unwrap_or_default(),
                tables: content.tables.into_owned(),
                asks_for_keys: false,
            }),
            _ => Err(TokenError),
        }
    }
}
