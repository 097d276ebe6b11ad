//! A field's attributes.

use super::diesel::{Mapping, mapping};
use super::near::near;
use super::value::{alone, skip, value};
use super::{arguments, container};
use crate::mistakes::Mistakes;
use proc_macro2::Span;
use syn::meta::ParseNestedMeta;
use syn::spanned::Spanned;

/// What `#[sync(..)]` makes of a field.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Id,
    LastSyncedAt,
    CreatedAt,
    Deleted,
    VisibleBy,
    Skip,
    ReadOnly,
    Immutable,
    Local,
    Default,
    Fallback,
    Conflict,
}

/// A field's attributes, as written.
#[derive(Default)]
pub struct Field {
    pub roles: Vec<(Role, Span)>,
    pub default: Option<syn::Expr>,
    pub fallback: Option<syn::Expr>,
    pub conflict: Option<syn::Ident>,
    pub mapping: Mapping,
}

/// The words of a field.
pub const WORDS: &[&str] = &[
    "id",
    "last_synced_at",
    "created_at",
    "deleted",
    "visible_by",
    "skip",
    "read_only",
    "immutable",
    "local",
    "default",
    "fallback",
    "conflict",
];

const ROLES: &[Role] = &[
    Role::Id,
    Role::LastSyncedAt,
    Role::CreatedAt,
    Role::Deleted,
    Role::VisibleBy,
    Role::Skip,
    Role::ReadOnly,
    Role::Immutable,
    Role::Local,
    Role::Default,
    Role::Fallback,
    Role::Conflict,
];

/// What other libraries call it, and how it is written here.
const ELSEWHERE: &[(&str, &str)] = &[
    (
        "rename",
        "a column travels under its own name: name it by `#[diesel(column_name = ..)]`",
    ),
    ("column_name", "write `#[diesel(column_name = ..)]`"),
    ("primary_key", "write `#[sync(id)]`"),
    ("key", "write `#[sync(id)]`"),
    ("updated_at", "write `#[sync(last_synced_at)]`"),
    ("stamp", "write `#[sync(last_synced_at)]`"),
    ("deleted_at", "write `#[sync(deleted)]`"),
    ("ignore", "write `#[sync(skip)]`"),
    ("readonly", "write `#[sync(read_only)]`"),
    ("scope", "write `#[sync(visible_by)]`"),
    ("other", "write `#[sync(fallback = <expression>)]`"),
];

impl Role {
    /// As it is written.
    pub fn word(self) -> &'static str {
        WORDS[self as usize]
    }
}

impl Field {
    /// Reads a field's attributes.
    pub fn read(attributes: &[syn::Attribute], mistakes: &mut Mistakes) -> Self {
        let mut field = Field {
            mapping: mapping(attributes, mistakes),
            ..Field::default()
        };
        arguments(attributes, "sync", mistakes, |argument, mistakes| {
            match ROLES
                .iter()
                .find(|role| argument.path.is_ident(role.word()))
            {
                Some(role) => field.note(*role, &argument, mistakes),
                None => unknown(&argument, mistakes),
            }
            skip(argument.input)
        });
        field
    }

    /// Where the role is written, if it is.
    pub fn place(&self, role: Role) -> Option<Span> {
        self.roles
            .iter()
            .find(|(noted, _)| *noted == role)
            .map(|(_, place)| *place)
    }

    fn note(&mut self, role: Role, argument: &ParseNestedMeta, mistakes: &mut Mistakes) {
        let place = argument.path.span();
        if self.place(role).is_some() {
            return mistakes.add(
                place,
                format!("`{}` stands twice on this field: remove one", role.word()),
            );
        }
        let read =
            match role {
                Role::Default => value(argument, "default = <expression>")
                    .map(|value| self.default = Some(value)),
                Role::Fallback => value(argument, "fallback = <expression>")
                    .map(|value| self.fallback = Some(value)),
                Role::Conflict => {
                    container::conflict(argument).map(|variant| self.conflict = Some(variant))
                }
                other => alone(argument, other.word()),
            };
        if let Err(error) = read {
            mistakes.take(error);
        }
        self.roles.push((role, place));
    }
}

fn unknown(argument: &ParseNestedMeta, mistakes: &mut Mistakes) {
    let word = argument
        .path
        .get_ident()
        .map(ToString::to_string)
        .unwrap_or_default();
    let remedy = if let Some((_, remedy)) = ELSEWHERE.iter().find(|(other, _)| *other == word) {
        (*remedy).to_owned()
    } else if container::WORDS.contains(&word.as_str()) {
        "it belongs above the struct".to_owned()
    } else if let Some(near) = near(&word, WORDS) {
        format!("did you mean `{near}`?")
    } else {
        format!("a field takes `{}`", WORDS.join("`, `"))
    };
    mistakes.add(
        argument.path.span(),
        format!("unknown attribute `{word}` on a field: {remedy}"),
    );
}
