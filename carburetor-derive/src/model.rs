//! Understands a struct: its table, its columns, and what each is.

use crate::attr::{Backends, Container, Field, Role, raw_where_needed};
use crate::mistakes::Mistakes;
use proc_macro2::Span;
use quote::{ToTokens, format_ident};
use syn::ext::IdentExt;
use syn::spanned::Spanned;

/// A struct that derives `SyncTable`.
pub struct Model<'a> {
    pub ident: &'a syn::Ident,
    pub visibility: &'a syn::Visibility,
    /// The `table!` that the model stands for.
    pub table: syn::Path,
    /// The name on the wire.
    pub name: String,
    pub container: Container,
    pub columns: Vec<Column<'a>>,
    /// Fields that are no column; they take their default.
    pub others: Vec<Other<'a>>,
}

/// A field that stands for no column, or for several.
pub struct Other<'a> {
    pub field: &'a syn::Ident,
    pub written: Field,
}

/// A field that stands for a column.
pub struct Column<'a> {
    pub field: &'a syn::Ident,
    pub visibility: &'a syn::Visibility,
    pub docs: Vec<&'a syn::Attribute>,
    pub ty: &'a syn::Type,
    /// The column in its `table!`.
    pub ident: syn::Ident,
    pub written: Field,
    /// The field is called as a role whose attribute nobody wrote.
    pub by_name: Option<Role>,
}

impl<'a> Model<'a> {
    /// The model, or nothing where the struct's form alone makes it impossible.
    pub fn understand(input: &'a syn::DeriveInput, mistakes: &mut Mistakes) -> Option<Self> {
        let container = Container::read(&input.attrs, mistakes);
        let fields = named_fields(input, mistakes)?;
        let table = container
            .table
            .clone()
            .unwrap_or_else(|| table_of(&input.ident));
        let mut model = Model {
            ident: &input.ident,
            visibility: &input.vis,
            name: name_on_the_wire(&container, &table),
            table,
            container,
            columns: Vec::new(),
            others: Vec::new(),
        };
        for field in fields {
            model.add(field, mistakes);
        }
        model.name_roles(Role::Id, "id");
        model.name_roles(Role::LastSyncedAt, "last_synced_at");
        Some(model)
    }

    fn add(&mut self, field: &'a syn::Field, mistakes: &mut Mistakes) {
        let Some(ident) = &field.ident else { return };
        let written = Field::read(&field.attrs, mistakes);
        if written.mapping.no_column.is_some() {
            return self.others.push(Other {
                field: ident,
                written,
            });
        }
        self.columns.push(Column {
            field: ident,
            visibility: &field.vis,
            docs: field
                .attrs
                .iter()
                .filter(|attribute| attribute.path().is_ident("doc"))
                .collect(),
            ty: &field.ty,
            ident: written
                .mapping
                .column
                .clone()
                .unwrap_or_else(|| raw_where_needed(ident)),
            written,
            by_name: None,
        });
    }

    /// Where nobody has `role`, the field called `name` has it.
    fn name_roles(&mut self, role: Role, name: &str) {
        if self.with(role).next().is_none()
            && let Some(column) = self.columns.iter_mut().find(|column| column.field == name)
        {
            column.by_name = Some(role);
        }
    }

    /// The columns with `role`.
    pub fn with(&self, role: Role) -> impl Iterator<Item = &Column<'a>> {
        self.columns.iter().filter(move |column| column.is(role))
    }

    /// The columns that travel, numbered.
    pub fn downloaded(&self) -> impl Iterator<Item = (syn::Index, &Column<'a>)> {
        let travelling = self.columns.iter().filter(|column| column.travels());
        travelling
            .enumerate()
            .map(|(number, column)| (syn::Index::from(number), column))
    }

    /// Where some conflicts are settled by the model's own code.
    pub fn custom(&self) -> Option<&syn::Ident> {
        let columns = self.columns.iter().map(|column| &column.written.conflict);
        std::iter::once(&self.container.conflict)
            .chain(columns)
            .flatten()
            .find(|conflict| *conflict == "Custom")
    }

    /// Is the model for PostgreSQL?
    pub fn on_postgres(&self) -> bool {
        self.container
            .backends
            .is_none_or(|backends: Backends| backends.postgres)
    }

    /// Is the model for SQLite?
    pub fn on_sqlite(&self) -> bool {
        self.container
            .backends
            .is_none_or(|backends: Backends| backends.sqlite)
    }

    /// Is the table of `sqlite(table = ..)` that of `table_name`?
    pub fn repeats_its_table(&self) -> bool {
        let written = |path: &syn::Path| path.to_token_stream().to_string();
        let sqlite = self.container.sqlite_table.as_ref();
        sqlite.is_some_and(|sqlite| written(sqlite) == written(&self.table))
    }

    /// The `table!` on SQLite.
    pub fn sqlite_table(&self) -> &syn::Path {
        self.container.sqlite_table.as_ref().unwrap_or(&self.table)
    }
}

impl Column<'_> {
    /// Has the column `role`?
    pub fn is(&self, role: Role) -> bool {
        self.by_name == Some(role) || self.written.place(role).is_some()
    }

    /// Where `role` is written, or the field that has it by its name.
    pub fn place(&self, role: Role) -> Span {
        self.written
            .place(role)
            .unwrap_or_else(|| self.field.span())
    }

    /// Is the column part of a downloaded row?
    pub fn travels(&self) -> bool {
        !self.is(Role::Skip) && !self.is(Role::Local)
    }

    /// The type inside of `Option<..>`, if the field's type is written so.
    pub fn inside_option(&self) -> Option<&syn::Type> {
        inside_option(self.ty)
    }
}

/// The type inside of `Option<..>`.
pub fn inside_option(ty: &syn::Type) -> Option<&syn::Type> {
    let syn::Type::Path(path) = ty else {
        return None;
    };
    let last = path
        .path
        .segments
        .last()
        .filter(|segment| segment.ident == "Option")?;
    let syn::PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    match arguments.args.first() {
        Some(syn::GenericArgument::Type(inside)) => Some(inside),
        _ => None,
    }
}

fn named_fields<'a>(
    input: &'a syn::DeriveInput,
    mistakes: &mut Mistakes,
) -> Option<&'a syn::punctuated::Punctuated<syn::Field, syn::Token![,]>> {
    const FORM: &str = "a synced table is a struct with named fields, one per column";
    if !input.generics.params.is_empty() {
        mistakes.add(
            input.generics.span(),
            "a synced table has neither lifetimes nor generics: own the fields, and name their types",
        );
        return None;
    }
    match &input.data {
        syn::Data::Struct(syn::DataStruct {
            fields: syn::Fields::Named(fields),
            ..
        }) => Some(&fields.named),
        _ => {
            mistakes.add(input.ident.span(), FORM);
            None
        }
    }
}

/// The table that Diesel takes where `table_name` is not written.
fn table_of(model: &syn::Ident) -> syn::Path {
    let mut name = String::new();
    for (at, letter) in model.unraw().to_string().chars().enumerate() {
        if letter.is_uppercase() && at > 0 {
            name.push('_');
        }
        name.extend(letter.to_lowercase());
    }
    syn::Path::from(format_ident!("{name}s", span = model.span()))
}

fn name_on_the_wire(container: &Container, table: &syn::Path) -> String {
    match (&container.name, table.segments.last()) {
        (Some(name), _) => name.value(),
        (None, Some(table)) => table.ident.unraw().to_string(),
        (None, None) => String::new(),
    }
}
