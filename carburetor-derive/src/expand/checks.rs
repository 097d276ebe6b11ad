//! What only the columns' SQL types can tell.

use super::{Backend, library};
use crate::attr::Role;
use crate::model::{Column, Model};
use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;

/// Constants that don't compile where a column can't play its role; the compiler blames the field's type.
pub fn checks(model: &Model, backend: &Backend) -> TokenStream {
    let mut questions = Questions {
        model,
        backend,
        output: TokenStream::new(),
    };
    for column in model.with(Role::Id) {
        questions.of_type("id_is_never_null", column);
    }
    for column in model
        .with(Role::LastSyncedAt)
        .chain(model.with(Role::CreatedAt))
    {
        questions.of_type_here("instant", column);
    }
    for column in model.with(Role::Deleted) {
        questions.of_type_here("soft_delete", column);
    }
    let stamp = model.with(Role::LastSyncedAt).next();
    let created = model.with(Role::CreatedAt).next();
    match (stamp, created) {
        (Some(stamp), Some(created)) => {
            questions.of_both_here("same_storage", stamp, created);
            if backend.untracked {
                questions.of_both("one_is_never_null", stamp, created);
            }
        }
        (Some(stamp), None) if backend.untracked => {
            questions.of_type("stamp_is_never_null", stamp);
        }
        _ => {}
    }
    questions.output
}

struct Questions<'a> {
    model: &'a Model<'a>,
    backend: &'a Backend<'a>,
    output: TokenStream,
}

impl Questions<'_> {
    fn of_type(&mut self, question: &str, column: &Column) {
        let sql = self.sql_type(column, column);
        self.ask(question, column, &sql);
    }

    fn of_type_here(&mut self, question: &str, column: &Column) {
        let (sql, db) = (self.sql_type(column, column), &self.backend.path);
        self.ask(question, column, &quote!(#sql, #db));
    }

    fn of_both(&mut self, question: &str, one: &Column, blamed: &Column) {
        let (one, sql) = (self.sql_type(one, blamed), self.sql_type(blamed, blamed));
        self.ask(question, blamed, &quote!(#one, #sql));
    }

    fn of_both_here(&mut self, question: &str, one: &Column, blamed: &Column) {
        let (one, sql) = (self.sql_type(one, blamed), self.sql_type(blamed, blamed));
        let db = &self.backend.path;
        self.ask(question, blamed, &quote!(#one, #sql, #db));
    }

    fn ask(&mut self, question: &str, blamed: &Column, types: &TokenStream) {
        let library = library(self.model);
        let question = format_ident!("{question}");
        self.output.extend(quote_spanned! {blamed.ty.span()=>
            const _: () = #library::__private::#question::<#types>();
        });
    }

    fn sql_type(&self, column: &Column, blamed: &Column) -> TokenStream {
        let (table, ident) = (self.backend.table, &column.ident);
        quote_spanned!(blamed.ty.span()=> ::diesel::dsl::SqlTypeOf<#table::#ident>)
    }
}
