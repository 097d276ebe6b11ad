//! `impl TableOn`, once per backend.

use super::{companion, library, sql_type};
use crate::attr::Role;
use crate::model::{Column, Model};
use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

/// One backend, as the output names it.
pub struct Backend<'a> {
    /// Diesel's type.
    pub path: TokenStream,
    /// The `table!` there.
    pub table: &'a syn::Path,
}

/// What each backend needs, left out where the library lacks the backend.
pub fn backends(model: &Model) -> TokenStream {
    let library = library(model);
    let postgres = model.on_postgres().then(|| Backend {
        path: quote!(::diesel::pg::Pg),
        table: &model.table,
    });
    let sqlite = model.on_sqlite().then(|| Backend {
        path: quote!(::diesel::sqlite::Sqlite),
        table: model.sqlite_table(),
    });
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
    let definition = definition(model, backend);
    let checks = checks(model, backend);
    let read = fields(model, |number, column| {
        let (sql, ty) = (sql_type(table, column), column.ty);
        quote!(#private::read::<Self, #db, #sql, #ty>(row, at, #number)?)
    });
    let decode = fields(model, |number, column| {
        let (sql, ty) = (sql_type(table, column), column.ty);
        match &column.written.default {
            None => quote!(row.take::<#sql, #ty>(#number)?),
            Some(default) => quote! {
                match row.given::<#sql, #ty>(#number)? {
                    ::core::option::Option::Some(given) => given,
                    ::core::option::Option::None => #default,
                }
            },
        }
    });
    let put = model.downloaded().map(|(number, column)| {
        let (sql, ty, field) = (sql_type(table, column), column.ty, column.field);
        quote!(row.put::<#sql, #ty>(#number, &self.#field)?;)
    });
    let id = id(model, backend);
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

            fn decode(row: #private::Row) -> ::core::result::Result<Self, #library::wire::WireError> {
                let mut row = #private::Received::<Self, #db>::new(row);
                ::core::result::Result::Ok(#ident { #decode })
            }

            #id
        }

        #checks
    }
}

/// The fields of a struct expression: `travelling` for a downloaded column, the default for every other field.
fn fields(model: &Model, travelling: impl Fn(usize, &Column) -> TokenStream) -> TokenStream {
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
    for field in staying.chain(model.others.iter().copied()) {
        output.extend(quote_spanned!(field.span()=> #field: ::core::default::Default::default(),));
    }
    output
}

fn definition(model: &Model, backend: &Backend) -> TokenStream {
    let (library, table, db) = (library(model), backend.table, &backend.path);
    let private = quote!(#library::__private);
    let mut number = 0usize;
    let columns = model.columns.iter().map(|column| {
        let (ident, span) = (&column.ident, column.field.span());
        let path = quote_spanned!(span=> #table::#ident);
        let rest = if column.travels() {
            number += 1;
            let at = number - 1;
            quote!(#private::column::<#path, #db>(&codecs[#at]))
        } else if column.is(Role::CreatedAt) {
            quote!(#private::dates::<#path, #db>())
        } else {
            quote!(#private::plain::<#path>())
        };
        let roles = roles(&library, column);
        quote!(#library::table::ColumnDefinition { #roles ..#rest })
    });
    let untracked = model.container.untracked.then(|| quote!(untracked: true,));
    let online_only = model
        .container
        .online_only
        .then(|| quote!(online_only: true,));
    let conflict = model
        .container
        .conflict
        .as_ref()
        .map(|variant| quote!(conflict: #library::table::Conflict::#variant,));
    quote! {
        fn definition() -> &'static #library::table::TableDefinition {
            static DEFINITION: #private::OnceLock<#library::table::TableDefinition> =
                #private::OnceLock::new();
            DEFINITION.get_or_init(|| {
                let codecs = <Self as #library::table::TableOn<#db>>::codecs();
                #library::table::TableDefinition {
                    #untracked
                    #online_only
                    #conflict
                    columns: ::std::vec![#(#columns),*],
                    ..#private::base(#table::table, &#db, <Self as #library::SyncTable>::NAME)
                }
            })
        }
    }
}

fn roles(library: &TokenStream, column: &Column) -> TokenStream {
    const FLAGS: &[Role] = &[
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
    ];
    let flags = FLAGS
        .iter()
        .filter(|role| column.is(**role))
        .map(|role| format_ident!("{}", role.word()));
    let conflict = column.written.conflict.as_ref().map(|variant| {
        quote!(conflict: ::core::option::Option::Some(#library::table::Conflict::#variant),)
    });
    quote!(#(#flags: true,)* #conflict)
}

fn id(model: &Model, backend: &Backend) -> TokenStream {
    let (library, table, db) = (library(model), backend.table, &backend.path);
    let private = quote!(#library::__private);
    let parts: Vec<_> = model
        .downloaded()
        .filter(|(_, column)| column.is(Role::Id))
        .collect();
    let alone = parts.len() == 1;
    let part = |at: usize| {
        let at = syn::Index::from(at);
        if alone { quote!(id) } else { quote!(&id.#at) }
    };
    let (mut reads, mut binds, mut encodes, mut decodes) = (vec![], vec![], vec![], vec![]);
    for (at, (number, column)) in parts.iter().enumerate() {
        let (sql, ty, value) = (sql_type(table, column), column.ty, part(at));
        let name = format_ident!("part_{at}");
        let came = if alone { quote!(id) } else { quote!(#name) };
        reads.push(quote!(#private::read::<Self, #db, #sql, #ty>(row, at, #number)?));
        binds.push(quote!(#at => #private::bind::<#db, #sql, #ty>(#value, out),));
        encodes.push(quote!(#private::whole::<Self, #db, #sql, #ty>(#number, #value)?));
        decodes.push(quote!(#private::part::<Self, #db, #sql, #ty>(#number, #came)?));
    }
    let count = parts.len();
    let (read, encode, decode) = if alone {
        (
            quote!(#(#reads)*),
            quote!(#(#encodes)*),
            quote!(#(#decodes)*),
        )
    } else {
        (
            quote!((#(#reads,)*)),
            quote!(#private::Value::Array(::std::vec![#(#encodes),*])),
            quote!((#(#decodes,)*)),
        )
    };
    let names = (0..count).map(|at| format_ident!("part_{at}"));
    let split =
        (!alone).then(|| quote!(let [#(#names),*] = #private::parts::<Self, #db, #count>(id)?;));
    quote! {
        fn read_id<'a>(
            row: &impl ::diesel::row::Row<'a, #db>,
            at: usize,
        ) -> ::diesel::deserialize::Result<Self::Id> {
            ::core::result::Result::Ok(#read)
        }

        fn bind_id<'b>(
            id: &'b Self::Id,
            part: usize,
            out: ::diesel::query_builder::AstPass<'_, 'b, #db>,
        ) -> ::diesel::QueryResult<()> {
            match part {
                #(#binds)*
                _ => #private::no_such_part::<Self, #db>(part),
            }
        }

        fn encode_id(id: &Self::Id) -> ::core::result::Result<#private::Value, #library::wire::WireError> {
            ::core::result::Result::Ok(#encode)
        }

        fn decode_id(id: #private::Value) -> ::core::result::Result<Self::Id, #library::wire::WireError> {
            #split
            ::core::result::Result::Ok(#decode)
        }
    }
}

/// What only the columns' SQL types can tell.
fn checks(model: &Model, backend: &Backend) -> TokenStream {
    let (library, table, db) = (library(model), backend.table, &backend.path);
    let private = quote!(#library::__private);
    let mut output = TokenStream::new();
    let mut ask = |column: &Column, question: TokenStream| {
        output.extend(quote_spanned!(column.ty.span()=> const _: () = #private::#question();));
    };
    for column in model.with(Role::Id) {
        let sql = sql_type(table, column);
        ask(column, quote!(id_is_never_null::<#sql>));
    }
    for column in model
        .with(Role::LastSyncedAt)
        .chain(model.with(Role::CreatedAt))
    {
        let sql = sql_type(table, column);
        ask(column, quote!(instant::<#sql, #db>));
    }
    for column in model.with(Role::Deleted) {
        let sql = sql_type(table, column);
        ask(column, quote!(soft_delete::<#sql, #db>));
    }
    let stamp = model.with(Role::LastSyncedAt).next();
    let created = model.with(Role::CreatedAt).next();
    if let (Some(stamp), Some(created)) = (stamp, created) {
        let (a, b) = (sql_type(table, stamp), sql_type(table, created));
        ask(created, quote!(same_storage::<#a, #b, #db>));
    }
    if let (true, Some(instead)) = (model.container.untracked, created.or(stamp)) {
        let sql = sql_type(table, instead);
        ask(instead, quote!(stamp_is_never_null::<#sql>));
    }
    output
}
