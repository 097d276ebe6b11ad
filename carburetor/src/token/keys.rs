//! The keys of scopes beside a token: those of many keys would make the token too long for where it travels.

use super::{TableState, Token, TokenError};
use crate::hex::hex;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// A token that is longer with its keys has them beside it.
const LONG: usize = 2048;

/// A token as it is written.
pub(crate) struct Written {
    /// The token itself, which is short.
    pub(crate) token: String,
    /// The keys that it tells by their digests, where it has many.
    pub(crate) keys: Option<String>,
    /// The digests of those.
    pub(crate) digests: BTreeSet<String>,
}

/// What tells these keys from others, in whatever order they are.
pub(crate) fn digest(keys: &[Value]) -> String {
    let mut keys: Vec<String> = keys.iter().map(Value::to_string).collect();
    keys.sort_unstable();
    keys.dedup();
    hex(&Sha256::digest(keys.join("\n"))[..16])
}

impl Token {
    /// The token, and its keys beside it if they are many.
    pub(crate) fn written(&self) -> Result<Written, std::fmt::Error> {
        let keys = self.tables.iter().filter_map(|table| table.keys.as_ref());
        let has_keys = |table: &TableState| table.keys.is_some();
        let is_digested = |table: &TableState| !has_keys(table) && table.digest.is_some();
        // So many take more than that, whatever they are.
        let is_long = keys.map(Vec::len).sum::<usize>() > LONG;
        if !is_long && !self.tables.iter().any(is_digested) {
            let whole = self.encoded(&self.tables)?;
            if whole.len() <= LONG || !self.tables.iter().any(has_keys) {
                return Ok(Written {
                    token: whole,
                    keys: None,
                    digests: BTreeSet::new(),
                });
            }
        }
        let mut known: BTreeMap<String, &[Value]> = BTreeMap::new();
        let mut tables = Vec::with_capacity(self.tables.len());
        for table in &self.tables {
            let digest = match &table.keys {
                Some(keys) => Some(digest(keys)),
                None => table.digest.clone(),
            };
            if let (Some(digest), Some(keys)) = (&digest, &table.keys) {
                known.insert(digest.clone(), keys);
            }
            tables.push(TableState {
                name: table.name.clone(),
                since: table.since,
                fingerprint: table.fingerprint.clone(),
                generation: table.generation,
                after: table.after.clone(),
                horizon: table.horizon,
                keys: None,
                digest,
                aside: table.aside.clone(),
            });
        }
        let keys = match known.is_empty() {
            true => None,
            false => {
                let json = serde_json::to_vec(&known).map_err(|_| std::fmt::Error)?;
                Some(URL_SAFE_NO_PAD.encode(json))
            }
        };
        Ok(Written {
            token: self.encoded(&tables)?,
            keys,
            digests: tables
                .into_iter()
                .filter_map(|table| table.digest)
                .collect(),
        })
    }

    /// Takes the keys that were beside it: those whose digests it tells.
    pub(super) fn with_keys(mut self, text: &str) -> Result<Self, TokenError> {
        let json = URL_SAFE_NO_PAD.decode(text).map_err(|_| TokenError)?;
        let known = serde_json::from_slice::<BTreeMap<String, Vec<Value>>>(&json);
        // Whoever sends them may say anything; what they are is seen by themselves.
        self.fill(known.map_err(|_| TokenError)?.into_values());
        Ok(self)
    }

    /// Takes those of these keys that it tells by their digests.
    pub(crate) fn fill(&mut self, known: impl Iterator<Item = Vec<Value>>) {
        let known: BTreeMap<String, Vec<Value>> = known.map(|keys| (digest(&keys), keys)).collect();
        for table in &mut self.tables {
            let found = table.digest.as_ref().and_then(|digest| known.get(digest));
            if table.keys.is_none() {
                table.keys = found.cloned();
            }
        }
    }

    /// Whether it tells keys by their digests that it doesn't have.
    #[cfg(all(
        feature = "axum",
        any(feature = "async-postgres", feature = "async-sqlite")
    ))]
    pub(crate) fn lacks_keys(&self) -> bool {
        let mut tables = self.tables.iter();
        tables.any(|table| table.keys.is_none() && table.digest.is_some())
    }

    /// Whether it tells keys by their digest only.
    #[cfg(feature = "replica")]
    pub(crate) fn has_keys_beside(&self) -> bool {
        self.tables.iter().any(|table| table.digest.is_some())
    }

    /// The digests of the keys that whoever has the token holds.
    pub(crate) fn held(&self) -> BTreeSet<String> {
        let tables = self.tables.iter();
        tables.filter_map(|table| table.digest.clone()).collect()
    }

    /// Notes that whoever gets the token holds the keys of these digests.
    pub(crate) fn noting(mut self, held: &BTreeSet<String>) -> Self {
        if !held.is_empty() {
            for table in &mut self.tables {
                let digest = table.keys.as_deref().map(digest);
                table.digest = digest
                    .filter(|digest| held.contains(digest))
                    .or(table.digest.take());
            }
        }
        self
    }

    /// Whether it is of the same rows as another one.
    #[cfg(all(
        feature = "axum",
        any(feature = "async-postgres", feature = "async-sqlite")
    ))]
    pub(crate) fn is_at(&self, other: &Token) -> bool {
        let at = |table: &TableState| {
            let keys = table
                .keys
                .as_deref()
                .map(digest)
                .or_else(|| table.digest.clone());
            let TableState {
                name,
                since,
                fingerprint,
                generation,
                after,
                ..
            } = table.clone();
            (name, since, fingerprint, generation, after, keys)
        };
        self.tables.iter().map(at).eq(other.tables.iter().map(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(keys: usize) -> Token {
        let table = |name: &str| TableState {
            name: name.into(),
            since: Some(1_769_903_999_123_456),
            fingerprint: "0123456789abcdef".into(),
            generation: Some(1),
            keys: Some((0..keys).map(|key| format!("{key:032}").into()).collect()),
            ..TableState::default()
        };
        Token {
            tables: vec![table("tasks"), table("notes")],
            ..Token::default()
        }
    }

    #[test]
    fn few_keys_are_in_the_token_and_many_beside_it() {
        let few = token(10).written().unwrap();
        assert!(few.keys.is_none() && !few.token.contains('.'));
        let many = token(5000).written().unwrap();
        assert!(many.token.len() < 512, "{}", many.token.len());
        // Once, though two tables have them.
        let keys = many.keys.unwrap();
        assert!((200_000..300_000).contains(&keys.len()), "{}", keys.len());
        assert_eq!(many.digests.len(), 1);
    }

    #[test]
    fn a_token_comes_back_with_its_keys_and_without_them() {
        for keys in [0, 10, 5000] {
            let token = token(keys);
            let read: Token = token.to_string().parse().unwrap();
            assert!(read.is_at(&token));
            assert_eq!(read.tables[1].keys, token.tables[1].keys);
            assert_eq!(read.to_string(), token.to_string());
            let alone: Token = token.written().unwrap().token.parse().unwrap();
            assert!(alone.is_at(&token));
            assert_eq!(alone.tables[0].keys.is_some(), keys < 5000);
            assert_eq!(
                alone.written().unwrap().token,
                token.written().unwrap().token
            );
        }
    }

    #[test]
    fn keys_that_are_not_those_of_the_token_are_none() {
        let written = token(5000).written().unwrap();
        let other = token(4999).written().unwrap().keys.unwrap();
        let mixed: Token = format!("{}.{other}", written.token).parse().unwrap();
        assert_eq!(mixed.tables[0].keys, None);
        assert!(format!("{}.x", written.token).parse::<Token>().is_err());
    }

    #[test]
    fn the_order_of_keys_is_nothing() {
        let [one, other] = [["a", "b", "a"], ["b", "b", "a"]].map(|keys| keys.map(Value::from));
        assert_eq!(digest(&one), digest(&other));
    }
}
