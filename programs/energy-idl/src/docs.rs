//! Doc comments, made readable outside Rust, and the links in them.

use syn::{Attribute, Expr, ExprLit, Lit, Meta};

/// The lines of a doc comment, as written.
pub fn raw(attributes: &[Attribute]) -> Vec<String> {
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("doc"))
        .filter_map(|attribute| match &attribute.meta {
            Meta::NameValue(pair) => match &pair.value {
                Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Some(text.value().trim().to_owned()),
                _ => None,
            },
            _ => None,
        })
        .collect()
}

/// A line without Rust's link brackets and module paths.
pub fn readable(line: &str) -> String {
    let mut line = line.replace("[`", "`").replace("`]", "`");
    for path in ["crate::state::", "crate::", "super::"] {
        line = line.replace(path, "");
    }
    line
}

/// What a doc comment links to, by its full path as written.
pub fn links(lines: &[String]) -> Vec<String> {
    let text = lines.join(" ");
    text.split("[`")
        .skip(1)
        .filter_map(|rest| rest.split_once("`]"))
        .map(|(path, _)| path.to_owned())
        .collect()
}

/// The last part of the only link of a doc comment that says nothing else.
pub fn only_link(lines: &[String]) -> Option<&str> {
    let [line] = lines else { return None };
    let path = line.strip_prefix("[`")?.strip_suffix("`].")?;
    path.rsplit("::").next()
}
