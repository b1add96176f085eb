//! The interface's source: its layouts, enums and lengths, in their order.

use crate::{IdlError, docs};
use std::collections::BTreeMap;
use syn::{Attribute, Expr, ExprLit, Fields, Item, Lit, Type};

macro_rules! files {
    ($($file:literal),* $(,)?) => {
        [$(($file, include_str!(concat!("../../energy-interface/src/", $file)))),*]
    };
}

const FILES: [(&str, &str); 10] = files![
    "lib.rs",
    "state/config.rs",
    "state/household.rs",
    "state/offer.rs",
    "state/order.rs",
    "state/marker.rs",
    "state/evidence.rs",
    "instruction.rs",
    "event.rs",
    "proof.rs",
];

/// One field of a layout.
pub struct Field {
    /// Its name in Rust.
    pub name: String,
    /// Its doc comment as written.
    pub raw_docs: Vec<String>,
    /// Its type in Rust.
    pub kind: Type,
}

/// A `repr(C)` struct.
pub struct Layout {
    /// Its name.
    pub name: String,
    /// Its doc comment, readable.
    pub docs: Vec<String>,
    /// Its doc comment as written.
    pub raw_docs: Vec<String>,
    /// Its fields, in memory's order.
    pub fields: Vec<Field>,
}

/// One value of an enum.
pub struct Variant {
    /// Its name.
    pub name: String,
    /// Its number.
    pub number: u32,
    /// Its doc comment, readable, in one line.
    pub doc: String,
}

/// A `repr(u8)` enum.
pub struct Choice {
    /// Its name.
    pub name: String,
    /// Its doc comment, readable.
    pub docs: Vec<String>,
    /// Its values.
    pub variants: Vec<Variant>,
}

impl Choice {
    /// Its doc comment and a line for each value: the format has no place for
    /// documentation at a value.
    pub fn docs_with_variants(&self) -> Vec<String> {
        let values = self.variants.iter().map(|v| format!("{} `{}`: {}", v.number, v.name, v.doc));
        self.docs.iter().cloned().chain(values).collect()
    }
}

/// All that was read.
pub struct Source {
    structs: Vec<Layout>,
    enums: Vec<Choice>,
    lengths: BTreeMap<String, u64>,
}

impl Source {
    /// Reads the interface as it was when this crate was compiled.
    pub fn read() -> Result<Self, IdlError> {
        let mut source = Self { structs: Vec::new(), enums: Vec::new(), lengths: BTreeMap::new() };
        for (file, text) in FILES {
            let parsed = syn::parse_file(text).map_err(|source| IdlError::Source { file, source })?;
            for item in parsed.items {
                source.take(item);
            }
        }
        Ok(source)
    }

    /// Every layout.
    pub fn structs(&self) -> impl Iterator<Item = &Layout> {
        self.structs.iter()
    }

    /// Every enum but the instructions' tags, which the instructions themselves say.
    pub fn enums(&self) -> impl Iterator<Item = &Choice> {
        self.enums.iter().filter(|choice| choice.name != "Tag")
    }

    /// A layout by name.
    pub fn layout(&self, name: &str) -> Result<&Layout, IdlError> {
        self.structs
            .iter()
            .find(|layout| layout.name == name)
            .ok_or_else(|| IdlError::Interface(format!("there is no repr(C) struct {name}")))
    }

    /// An enum by name.
    pub fn choice(&self, name: &str) -> Option<&Choice> {
        self.enums.iter().find(|choice| choice.name == name)
    }

    /// The length of an array: a number, or a constant of the interface.
    pub fn length(&self, length: &Expr) -> Result<u64, IdlError> {
        if let Some(number) = number(length) {
            return Ok(number);
        }
        let name = match length {
            Expr::Path(path) => path.path.segments.last().map(|segment| segment.ident.to_string()),
            _ => None,
        };
        name.and_then(|name| self.lengths.get(&name).copied())
            .ok_or_else(|| IdlError::Interface("an array's length is no literal constant".to_owned()))
    }

    fn take(&mut self, item: Item) {
        match item {
            Item::Struct(item) if has_repr(&item.attrs, "C") => {
                let Fields::Named(named) = item.fields else { return };
                let raw_docs = docs::raw(&item.attrs);
                self.structs.push(Layout {
                    name: item.ident.to_string(),
                    docs: raw_docs.iter().map(|line| docs::readable(line)).collect(),
                    raw_docs,
                    fields: named.named.into_iter().filter_map(field).collect(),
                });
            }
            Item::Enum(item) if has_repr(&item.attrs, "u8") => self.enums.push(Choice {
                name: item.ident.to_string(),
                docs: docs::raw(&item.attrs).iter().map(|line| docs::readable(line)).collect(),
                variants: item.variants.into_iter().filter_map(variant).collect(),
            }),
            Item::Const(item) => {
                if let Some(number) = number(&item.expr) {
                    self.lengths.insert(item.ident.to_string(), number);
                }
            }
            _ => {}
        }
    }
}

fn field(field: syn::Field) -> Option<Field> {
    Some(Field { name: field.ident?.to_string(), raw_docs: docs::raw(&field.attrs), kind: field.ty })
}

fn variant(variant: syn::Variant) -> Option<Variant> {
    let (_, number_expression) = variant.discriminant?;
    Some(Variant {
        name: variant.ident.to_string(),
        number: u32::try_from(number(&number_expression)?).ok()?,
        doc: docs::readable(&docs::raw(&variant.attrs).join(" ")),
    })
}

fn number(expression: &Expr) -> Option<u64> {
    match expression {
        Expr::Lit(ExprLit { lit: Lit::Int(literal), .. }) => literal.base10_parse().ok(),
        _ => None,
    }
}

fn has_repr(attributes: &[Attribute], wanted: &str) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("repr")
            && attribute.parse_args::<syn::Ident>().is_ok_and(|ident| ident == wanted)
    })
}
