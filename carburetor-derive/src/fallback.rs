//! What a model with mistakes still implements, so that its users aren't blamed as well.

use crate::attr::Role;
use crate::expand::{companions, library};
use crate::model::Model;
use proc_macro2::TokenStream;
use quote::quote;

/// The traits with bodies that are never reached, because the program doesn't compile.
pub fn fallback(model: &Model) -> TokenStream {
    let _ = companions;
    let _ = library(model);
    let _ = Role::Id;
    quote!()
}
