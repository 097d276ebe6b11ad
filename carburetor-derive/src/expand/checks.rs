//! What only the columns' SQL types can tell.

use super::{Backend, library, sql_type};
use crate::attr::Role;
use crate::model::{Column, Model};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

/// Constants that don't compile where a column can't play its role.
pub fn checks(model: &Model, backend: &Backend) -> TokenStream {
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
