//! `impl SyncTable`.

use super::{library, with_table};
use crate::attr::Role;
use crate::expand::{changeset, insert};
use crate::model::Model;
use proc_macro2::TokenStream;
use quote::quote;

/// The part that no backend decides.
pub fn table(model: &Model) -> TokenStream {
    let (library, ident, name) = (library(model), model.ident, &model.name);
    let insert = insert::ident(model);
    let changeset = changeset::ident(model);
    let (fields, types): (Vec<_>, Vec<_>) = model
        .with(Role::Id)
        .map(|column| (column.field, column.ty))
        .unzip();
    let (id, own) = match (&fields[..], &types[..]) {
        ([field], [ty]) => (
            quote!(#ty),
            quote!(::core::clone::Clone::clone(&self.#field)),
        ),
        _ => (
            quote!((#(#types,)*)),
            quote!((#(::core::clone::Clone::clone(&self.#fields),)*)),
        ),
    };
    with_table(model, |table| {
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
                    #own
                }
            }
        }
    })
}
