//! The struct's attributes.

use super::near::near;
use super::value::{Named, alone, skip, value};
use super::{arguments, diesel, field};
use crate::mistakes::Mistakes;
use proc_macro2::Span;
use quote::format_ident;
use syn::Token;
use syn::meta::ParseNestedMeta;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;

/// The struct's attributes, as written.
#[derive(Default)]
pub struct Container {
    /// `#[diesel(table_name = ..)]`
    pub table: Option<syn::Path>,
    pub name: Option<syn::LitStr>,
    pub conflict: Option<syn::Ident>,
    /// Where `online_only` is written.
    pub online_only: Option<Span>,
    /// Where `read_only` is written.
    pub read_only: Option<Span>,
    pub untracked: bool,
    pub backends: Option<Backends>,
    pub sqlite_table: Option<syn::Path>,
    pub krate: Option<syn::Path>,
    seen: Vec<String>,
}

/// `backends(..)`
#[derive(Clone, Copy)]
pub struct Backends {
    pub postgres: bool,
    pub sqlite: bool,
    pub place: Span,
}

/// The words of a struct.
pub const WORDS: &[&str] = &[
    "name",
    "conflict",
    "online_only",
    "read_only",
    "untracked",
    "backends",
    "sqlite",
    "crate",
];

const CONFLICTS: &[(&str, &str)] = &[
    ("fields", "Fields"),
    ("last_write_wins", "LastWriteWins"),
    ("server_wins", "ServerWins"),
    ("client_wins", "ClientWins"),
    ("custom", "Custom"),
];

/// What other libraries call it, and how it is written here.
const ELSEWHERE: &[(&str, &str)] = &[
    ("rename", "the name on the wire is `name = \"..\"`"),
    ("table_name", "write `#[diesel(table_name = ..)]`"),
    ("table", "write `#[diesel(table_name = ..)]`"),
    ("primary_key", "mark the id's fields by `#[sync(id)]`"),
    ("backend", "write `backends(postgres, sqlite)`"),
    ("postgres", "write `backends(postgres)`"),
];

impl Container {
    /// Reads the struct's attributes.
    pub fn read(attributes: &[syn::Attribute], mistakes: &mut Mistakes) -> Self {
        let mut container = Container {
            table: diesel::table(attributes, mistakes),
            ..Container::default()
        };
        arguments(attributes, "sync", mistakes, |argument, mistakes| {
            if let Err(error) = container.note(&argument) {
                mistakes.take(error);
            }
            skip(argument.input)
        });
        container
    }

    fn note(&mut self, argument: &ParseNestedMeta) -> syn::Result<()> {
        let word = argument
            .path
            .get_ident()
            .map(ToString::to_string)
            .unwrap_or_default();
        if self.seen.contains(&word) {
            return Err(argument.error(format!("`{word}` stands twice on this struct: remove one")));
        }
        match word.as_str() {
            "name" => self.name = Some(name(argument)?),
            "conflict" => self.conflict = Some(conflict(argument)?),
            "online_only" => self.online_only = placed(argument, "online_only")?,
            "read_only" => self.read_only = placed(argument, "read_only")?,
            "untracked" => self.untracked = alone(argument, "untracked").map(|()| true)?,
            "backends" => self.backends = Some(backends(argument)?),
            "sqlite" => self.sqlite_table = Some(sqlite_table(argument)?),
            "crate" => self.krate = Some(value::<Named>(argument, "crate = ::carburetor")?.0),
            _ => return Err(unknown(argument, &word)),
        }
        self.seen.push(word);
        Ok(())
    }
}

/// Where a word stands that takes no value.
fn placed(argument: &ParseNestedMeta, word: &str) -> syn::Result<Option<Span>> {
    alone(argument, word)?;
    Ok(Some(argument.path.span()))
}

/// The variant of `Conflict` that `conflict = ".."` names.
pub fn conflict(argument: &ParseNestedMeta) -> syn::Result<syn::Ident> {
    const FORM: &str = "conflict = \"fields\"";
    let name: syn::LitStr = value(argument, FORM)?;
    let known: Vec<&str> = CONFLICTS.iter().map(|(name, _)| *name).collect();
    match CONFLICTS.iter().find(|(known, _)| *known == name.value()) {
        Some((_, variant)) => Ok(format_ident!("{variant}", span = name.span())),
        None => Err(syn::Error::new(
            name.span(),
            format!(
                "`{}` is no way to settle a conflict: write `\"{}\"`",
                name.value(),
                known.join("\"`, `\"")
            ),
        )),
    }
}

fn name(argument: &ParseNestedMeta) -> syn::Result<syn::LitStr> {
    let name: syn::LitStr = value(argument, "name = \"users\"")?;
    if name.value().is_empty() {
        return Err(syn::Error::new(
            name.span(),
            "the name on the wire is empty: write `name = \"users\"`",
        ));
    }
    Ok(name)
}

fn backends(argument: &ParseNestedMeta) -> syn::Result<Backends> {
    let place = argument.path.span();
    let form = || {
        syn::Error::new(
            place,
            "write `backends(postgres)`, `backends(sqlite)` or both",
        )
    };
    if !argument.input.peek(syn::token::Paren) {
        return Err(form());
    }
    let named;
    syn::parenthesized!(named in argument.input);
    let mut backends = Backends {
        postgres: false,
        sqlite: false,
        place,
    };
    for name in Punctuated::<syn::Ident, Token![,]>::parse_terminated(&named)? {
        match name.to_string().as_str() {
            "postgres" => backends.postgres = true,
            "sqlite" => backends.sqlite = true,
            _ => {
                return Err(syn::Error::new(
                    name.span(),
                    "no such backend: write `postgres` or `sqlite`",
                ));
            }
        }
    }
    if backends.postgres || backends.sqlite {
        Ok(backends)
    } else {
        Err(form())
    }
}

fn sqlite_table(argument: &ParseNestedMeta) -> syn::Result<syn::Path> {
    const FORM: &str = "sqlite(table = users)";
    let mut table = None;
    if argument.input.peek(syn::token::Paren) {
        argument.parse_nested_meta(|inner| {
            if inner.path.is_ident("table") {
                table = Some(value::<Named>(&inner, FORM)?.0);
                Ok(())
            } else {
                skip(inner.input)?;
                Err(inner.error(format!("write `{FORM}`")))
            }
        })?;
    }
    table.ok_or_else(|| argument.error(format!("write `{FORM}`")))
}

fn unknown(argument: &ParseNestedMeta, word: &str) -> syn::Error {
    let remedy = if let Some((_, remedy)) = ELSEWHERE.iter().find(|(other, _)| *other == word) {
        (*remedy).to_owned()
    } else if field::WORDS.contains(&word) {
        "it belongs on a field".to_owned()
    } else if let Some(near) = near(word, WORDS) {
        format!("did you mean `{near}`?")
    } else {
        format!("a struct takes `{}`", WORDS.join("`, `"))
    };
    syn::Error::new(
        argument.path.span(),
        format!("unknown attribute `{word}` on a struct: {remedy}"),
    )
}
