//! `impl TableOn`, once per backend.

use super::{checks, companion, definition, id, library, sql_type};
use crate::model::{Column, Model};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

/// One backend, as the output names it.
pub struct Backend<'a> {
    /// Diesel's type.
    pub path: TokenStream,
    /// The `table!` there.
    pub table: &'a syn::Path,
    /// Whether the application may keep the stamp: on SQLite a table is always tracked.
    pub untracked: bool,
}

impl Backend<'_> {
    /// How the type of `column` stands for the column. Blamed on the type, always in the same words, so that the compiler says it once.
    pub fn field(&self, model: &Model, column: &Column) -> TokenStream {
        let (library, sql, db, ty) = (
            library(model),
            sql_type(self.table, column),
            &self.path,
            column.ty,
        );
        quote!(<#ty as #library::table::SyncField<#sql, #db>>)
    }

    /// What reads a value of `column` that travelled.
    fn decode(&self, model: &Model, column: &Column) -> TokenStream {
        let (library, field) = (library(model), self.field(model, column));
        match &column.written.fallback {
            None => quote!(#field::decode),
            Some(fallback) => quote! {
                |codec, value| #library::__private::decode_or(codec, value, #field::decode, || #fallback)
            },
        }
    }

    /// What lets a value of `column` into the database.
    fn admit(&self, model: &Model, column: &Column) -> TokenStream {
        let (library, field) = (library(model), self.field(model, column));
        match &column.written.fallback {
            None => quote!(#field::admit),
            Some(_) => {
                quote!(|codec, value| #library::__private::admit_or(codec, value, #field::admit))
            }
        }
    }
}

/// PostgreSQL and SQLite, where the model is for them.
pub fn backends<'m>(model: &'m Model) -> [Option<Backend<'m>>; 2] {
    let postgres = Backend {
        path: quote!(::diesel::pg::Pg),
        table: &model.table,
        untracked: model.container.untracked,
    };
    let sqlite = Backend {
        path: quote!(::diesel::sqlite::Sqlite),
        table: model.sqlite_table(),
        untracked: false,
    };
    [
        model.on_postgres().then_some(postgres),
        model.on_sqlite().then_some(sqlite),
    ]
}

/// What each backend needs, left out where the library lacks the backend. The wire is the same on both, so the first one
/// that is there writes it for the companions.
pub fn tables_on(model: &Model) -> TokenStream {
    let library = library(model);
    let [postgres, sqlite] = backends(model);
    let mut output = TokenStream::new();
    if let Some(postgres) = &postgres {
        let (own, companions) = (table_on(model, postgres), companion::wire(model, postgres));
        output.extend(quote!(#library::__if_postgres! { #own #companions }));
    }
    if let Some(sqlite) = &sqlite {
        let (own, companions) = (table_on(model, sqlite), companion::wire(model, sqlite));
        output.extend(quote!(#library::__if_sqlite! { #own }));
        output.extend(match postgres {
            Some(_) => quote!(#library::__if_only_sqlite! { #companions }),
            None => quote!(#library::__if_sqlite! { #companions }),
        });
    }
    output
}

fn table_on(model: &Model, backend: &Backend) -> TokenStream {
    let (library, ident, table, db) = (library(model), model.ident, backend.table, &backend.path);
    let private = quote!(#library::__private);
    let codecs = model.downloaded().map(|(_, column)| {
        let (sql, ty) = (sql_type(table, column), column.ty);
        quote_spanned!(ty.span()=> #library::__codec!(#sql, #db))
    });
    let definition = definition::definition(model, backend);
    let checks = checks::checks(model, backend);
    let read = fields(model, |number, column| {
        let field = backend.field(model, column);
        let read = quote!(row, at, #number, |value| #field::read(value));
        match &column.written.fallback {
            None => quote!(#private::read::<Self, _, _>(#read)?),
            Some(fallback) => quote!(#private::read_or::<Self, _, _>(#read, || #fallback)?),
        }
    });
    let decode = fields(model, |number, column| {
        let decode = backend.decode(model, column);
        match &column.written.default {
            None => quote!(row.take(#number, #decode)?),
            Some(default) => quote! {
                match row.given(#number, #decode)? {
                    ::core::option::Option::Some(given) => given,
                    ::core::option::Option::None => #default,
                }
            },
        }
    });
    let put: Vec<_> = model
        .downloaded()
        .map(|(number, column)| {
            let (field, own) = (backend.field(model, column), column.field);
            quote!(row.put(#number, &self.#own, #field::encode)?;)
        })
        .collect();
    let id = id::id(model, backend);
    let admit = model
        .downloaded()
        .map(|(_, column)| backend.admit(model, column));
    let merge = merge(model, backend);
    quote! {
        #[automatically_derived]
        impl #library::table::TableOn<#db> for #ident {
            type Source = #table::table;

            #definition

            fn codecs() -> &'static [#library::wire::Codec<#db>] {
                static CODECS: #private::OnceLock<::std::vec::Vec<#library::wire::Codec<#db>>> =
                    #private::OnceLock::new();
                CODECS.get_or_init(|| ::std::vec![#(#codecs),*])
            }

            fn read<'a>(
                row: &impl ::diesel::row::Row<'a, #db>,
                at: usize,
            ) -> ::diesel::deserialize::Result<Self> {
                ::core::result::Result::Ok(#ident { #read })
            }

            fn encode(&self) -> ::core::result::Result<#private::Row, #library::wire::WireError> {
                let mut row = #private::Sent::<Self, #db>::default();
                #(#put)*
                ::core::result::Result::Ok(row.done())
            }

            fn encode_column(
                &self,
                number: usize,
            ) -> ::core::result::Result<#private::Row, #library::wire::WireError> {
                let mut row = #private::Sent::<Self, #db>::only(number);
                #(#put)*
                ::core::result::Result::Ok(row.done())
            }

            fn decode(row: #private::Row) -> ::core::result::Result<Self, #library::wire::WireError> {
                let mut row = #private::Received::<Self, #db>::new(row);
                ::core::result::Result::Ok(#ident { #decode })
            }

            #id

            fn admit(
                number: usize,
                value: &#private::Value,
            ) -> ::core::result::Result<
                ::core::option::Option<<#db as #library::wire::WireBackend>::WireValue>,
                #library::wire::WireError,
            > {
                #private::admit::<Self, #db>(number, value, &[#(#admit),*])
            }

            #merge
        }

        #checks
    }
}

/// `TableOn::merging`, where some conflicts are settled by the model's own code. Its absence is blamed on the word that asks for it.
fn merge(model: &Model, backend: &Backend) -> Option<TokenStream> {
    let asked = model.custom()?;
    let (library, db) = (library(model), &backend.path);
    let private = quote!(#library::__private);
    let merge = quote_spanned!(asked.span()=> #private::merge::<Self, #db>);
    Some(quote! {
        fn merging() -> ::core::option::Option<#private::Merging> {
            ::core::option::Option::Some(#merge)
        }
    })
}

/// The fields of a struct expression: `travelling` for a downloaded column, the default for every other field.
fn fields(model: &Model, travelling: impl Fn(syn::Index, &Column) -> TokenStream) -> TokenStream {
    let mut output = TokenStream::new();
    for (number, column) in model.downloaded() {
        let (field, value) = (column.field, travelling(number, column));
        output.extend(quote!(#field: #value,));
    }
    let staying = model
        .columns
        .iter()
        .filter(|column| !column.travels())
        .map(|column| column.field);
    for field in staying.chain(model.others.iter().map(|other| other.field)) {
        output.extend(quote_spanned!(field.span()=> #field: ::core::default::Default::default(),));
    }
    output
}
