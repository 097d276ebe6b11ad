//! What a model with mistakes still implements, so that whoever uses it isn't blamed as well.

use crate::attr::Role;
use crate::expand::{Backend, backends, changeset, companions, insert, library, with_table};
use crate::model::Model;
use proc_macro2::TokenStream;
use quote::quote;

/// The traits, with bodies that are never reached because the program doesn't compile. Nothing where the table isn't
/// named: a guessed one may not exist.
pub fn fallback(mut model: Model) -> TokenStream {
    if model.container.table.is_none() {
        return TokenStream::new();
    }
    if model.repeats_its_table() {
        model.container.sqlite_table = None;
    }
    model
        .columns
        .retain(|column| column.written.mapping.other_type.is_none());
    let model = &model;
    let (library, ident, name) = (library(model), model.ident, &model.name);
    let (insert, changeset) = (insert::ident(model), changeset::ident(model));
    let companions = companions(model);
    let types: Vec<_> = model.with(Role::Id).map(|column| column.ty).collect();
    let id = match types[..] {
        [ty] => quote!(#ty),
        _ => quote!((#(#types,)*)),
    };
    let [postgres, sqlite] =
        backends(model).map(|backend| backend.map(|backend| table_on(model, &backend)));
    let table = with_table(model, |table| {
        quote! {
            #[automatically_derived]
            impl #library::SyncTable for #ident {
                type Table = #table::table;
                type Id = #id;
                type Insert = #insert;
                type Changeset = #changeset;
                const NAME: &'static str = #name;
                const MODEL: &'static str = ::core::concat!(
                    ::core::module_path!(), "::", ::core::stringify!(#ident), ":", ::core::line!(), ":", ::core::column!()
                );

                fn id(&self) -> Self::Id {
                    ::core::unreachable!()
                }
            }
        }
    });
    quote! {
        #companions

        const _: () = {
            #table

            #library::__if_postgres! { #postgres }
            #library::__if_sqlite! { #sqlite }
        };
    }
}

fn table_on(model: &Model, backend: &Backend) -> TokenStream {
    let (library, ident) = (library(model), model.ident);
    let (db, table) = (&backend.path, backend.table);
    let private = quote!(#library::__private);
    let result = quote!(::core::result::Result);
    let error = quote!(#library::wire::WireError);
    quote! {
        #[automatically_derived]
        impl #library::table::TableOn<#db> for #ident {
            type Source = #table::table;

            fn definition() -> &'static #library::table::TableDefinition {
                ::core::unreachable!()
            }

            fn codecs() -> &'static [#library::wire::Codec<#db>] {
                ::core::unreachable!()
            }

            fn read<'a>(
                _: &impl ::diesel::row::Row<'a, #db>,
                _: usize,
            ) -> ::diesel::deserialize::Result<Self> {
                ::core::unreachable!()
            }

            fn read_id<'a>(
                _: &impl ::diesel::row::Row<'a, #db>,
                _: usize,
            ) -> ::diesel::deserialize::Result<Self::Id> {
                ::core::unreachable!()
            }

            fn bind_id<'b>(
                _: &'b Self::Id,
                _: usize,
                _: ::diesel::query_builder::AstPass<'_, 'b, #db>,
            ) -> ::diesel::QueryResult<()> {
                ::core::unreachable!()
            }

            fn encode(&self) -> #result<#private::Row, #error> {
                ::core::unreachable!()
            }

            fn encode_column(&self, _: usize) -> #result<#private::Row, #error> {
                ::core::unreachable!()
            }

            fn decode(_: #private::Row) -> #result<Self, #error> {
                ::core::unreachable!()
            }

            fn encode_id(_: &Self::Id) -> #result<#private::Value, #error> {
                ::core::unreachable!()
            }

            fn decode_id(_: #private::Value) -> #result<Self::Id, #error> {
                ::core::unreachable!()
            }

            fn admit(
                _: usize,
                _: &#private::Value,
            ) -> #result<::core::option::Option<<#db as #library::wire::WireBackend>::WireValue>, #error> {
                ::core::unreachable!()
            }
        }
    }
}
