//! Every mistake of a struct, reported at once.

use proc_macro2::{Span, TokenStream};

/// The mistakes found so far, each with the place that caused it.
#[derive(Default)]
pub struct Mistakes {
    found: Option<syn::Error>,
}

impl Mistakes {
    /// Adds a mistake at `span`.
    pub fn add(&mut self, span: Span, message: impl std::fmt::Display) {
        self.take(syn::Error::new(span, message));
    }

    /// Adds what the parser found.
    pub fn take(&mut self, error: syn::Error) {
        match &mut self.found {
            Some(found) => found.combine(error),
            None => self.found = Some(error),
        }
    }

    /// Is the struct without a mistake so far?
    pub fn none(&self) -> bool {
        self.found.is_none()
    }

    /// The mistakes as compiler errors.
    pub fn report(self) -> TokenStream {
        self.found
            .map(|found| found.into_compile_error())
            .unwrap_or_default()
    }
}
