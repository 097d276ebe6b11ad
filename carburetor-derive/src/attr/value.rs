//! The values of arguments.

use proc_macro2::{Span, TokenTree};
use syn::Token;
use syn::meta::ParseNestedMeta;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;

/// The value after `=`; `form` is what to write.
pub fn value<T: Parse>(argument: &ParseNestedMeta, form: &str) -> syn::Result<T> {
    let wrong = |span: Span| syn::Error::new(span, format!("write `{form}`"));
    if !argument.input.peek(Token![=]) {
        skip(argument.input)?;
        return Err(wrong(argument.path.span()));
    }
    argument.input.parse::<Token![=]>()?;
    let span = argument.input.span();
    let fork = argument.input.fork();
    let followed = |input: ParseStream| input.is_empty() || input.peek(Token![,]);
    if fork.parse::<T>().is_ok() && followed(&fork) {
        argument.input.parse()
    } else {
        skip(argument.input)?;
        Err(wrong(span))
    }
}

/// Nothing may follow the word `form`.
pub fn alone(argument: &ParseNestedMeta, form: &str) -> syn::Result<()> {
    if argument.input.is_empty() || argument.input.peek(Token![,]) {
        return Ok(());
    }
    skip(argument.input)?;
    Err(syn::Error::new(
        argument.path.span(),
        format!("`{form}` takes no value: write `#[sync({form})]`"),
    ))
}

/// Passes over the rest of an argument.
pub fn skip(input: ParseStream) -> syn::Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<TokenTree>()?;
    }
    Ok(())
}

/// A path, or a string that holds one.
pub struct Named(pub syn::Path);

impl Parse for Named {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        if input.peek(syn::LitStr) {
            input.parse::<syn::LitStr>()?.parse().map(Named)
        } else {
            input.call(syn::Path::parse_mod_style).map(Named)
        }
    }
}

/// A column: an identifier, or a string that holds one, a keyword too.
pub struct ColumnName(pub syn::Ident);

impl Parse for ColumnName {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        use syn::ext::IdentExt;
        let ident = if input.peek(syn::LitStr) {
            input
                .parse::<syn::LitStr>()?
                .parse_with(syn::Ident::parse_any)?
        } else {
            input.call(syn::Ident::parse_any)?
        };
        Ok(ColumnName(raw_where_needed(&ident)))
    }
}

/// The identifier as `table!` has it in its module.
pub fn raw_where_needed(ident: &syn::Ident) -> syn::Ident {
    use syn::ext::IdentExt;
    let bare = ident.unraw();
    match syn::parse_str::<syn::Ident>(&bare.to_string()) {
        Ok(_) => bare,
        Err(_) => syn::Ident::new_raw(&bare.to_string(), ident.span()),
    }
}
