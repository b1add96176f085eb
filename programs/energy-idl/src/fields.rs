//! Rust's field types as Codama's.
//!
//! A field called `reserved`, with a digit or without, is bytes that a client leaves zero. A byte whose
//! documentation is nothing but a link to an enum is that enum. 32 bytes are an
//! address unless the list below says otherwise.

use crate::source::{Choice, Field, Layout, Source};
use crate::{IdlError, docs};
use codama_nodes::{
    ArrayTypeNode, BooleanTypeNode, BytesTypeNode, BytesValueNode, DefaultValueStrategy, DefinedTypeLinkNode,
    EnumEmptyVariantTypeNode, EnumTypeNode, FixedSizeTypeNode, NumberFormat, NumberTypeNode, NumberValueNode,
    PublicKeyTypeNode, StructFieldTypeNode, StructTypeNode, TypeNode, ValueNode,
};
use syn::Type;

/// 32 bytes that are no address: hashes, and the keys of meters, which hold no
/// account.
const HASHES: [&str; 6] = ["evidence_root", "meter_key", "proof", "reason", "root", "subject"];
/// Bytes that are 0 or 1.
const FLAGS: [&str; 2] = ["PauseData.paused", "HardStopData.stopped"];

/// A layout as a struct.
pub fn layout(source: &Source, layout: &Layout) -> Result<StructTypeNode, IdlError> {
    let fields = layout.fields.iter().map(|field| node(source, layout, field)).collect::<Result<_, _>>()?;
    Ok(StructTypeNode::new(fields))
}

/// An enum, with the numbers that Rust gives it.
pub fn choice(choice: &Choice) -> EnumTypeNode {
    let variants = choice.variants.iter().map(|variant| {
        let mut node = EnumEmptyVariantTypeNode::new(variant.name.as_str());
        node.discriminator = Some(variant.number);
        node.into()
    });
    EnumTypeNode::new(variants.collect())
}

/// Bytes of a layout, as its source adds up: `repr(C)` without padding.
pub fn size(source: &Source, layout: &Layout) -> Result<u64, IdlError> {
    layout.fields.iter().map(|field| type_size(source, &field.kind)).sum()
}

/// Gives a field a value that clients do not choose.
pub fn fix(node: &mut StructFieldTypeNode, value: impl Into<ValueNode>) {
    node.default_value_strategy = Some(DefaultValueStrategy::Omitted);
    *node.default_value = Some(value.into());
}

/// Gives the field of that name a number that clients do not choose.
pub fn fix_number(fields: &mut [StructFieldTypeNode], name: &str, number: u8) -> Result<(), IdlError> {
    let field = fields
        .iter_mut()
        .find(|field| *field.name == *name)
        .ok_or_else(|| IdlError::Interface(format!("a layout has no field {name}")))?;
    fix(field, NumberValueNode::new(number));
    Ok(())
}

fn node(source: &Source, layout: &Layout, field: &Field) -> Result<StructFieldTypeNode, IdlError> {
    if field.name.trim_end_matches(|c: char| c.is_ascii_digit()) == "reserved" {
        let size = type_size(source, &field.kind)?;
        let size = usize::try_from(size).map_err(|_| unknown(layout, field))?;
        let mut node = StructFieldTypeNode::new(field.name.as_str(), bytes(size));
        node.docs = vec!["Zero.".to_owned()].into();
        fix(&mut node, BytesValueNode::base16("00".repeat(size)));
        return Ok(node);
    }
    let kind = if FLAGS.contains(&format!("{}.{}", layout.name, field.name).as_str()) {
        BooleanTypeNode::default().into()
    } else if let Some(choice) = docs::only_link(&field.raw_docs).and_then(|name| source.choice(name)) {
        DefinedTypeLinkNode::new(choice.name.as_str()).into()
    } else {
        kind(source, layout, field, &field.kind)?
    };
    let mut node = StructFieldTypeNode::new(field.name.as_str(), kind);
    node.docs = field.raw_docs.iter().map(|line| docs::readable(line)).collect::<Vec<_>>().into();
    Ok(node)
}

fn kind(source: &Source, layout: &Layout, field: &Field, rust: &Type) -> Result<TypeNode, IdlError> {
    match rust {
        Type::Path(path) => {
            let name = path.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
            Ok(match name.as_str() {
                "u8" => NumberTypeNode::le(NumberFormat::U8).into(),
                "u16" => NumberTypeNode::le(NumberFormat::U16).into(),
                "u32" => NumberTypeNode::le(NumberFormat::U32).into(),
                "u64" => NumberTypeNode::le(NumberFormat::U64).into(),
                "i64" => NumberTypeNode::le(NumberFormat::I64).into(),
                "Key" if HASHES.contains(&field.name.as_str()) => bytes(32),
                "Key" => PublicKeyTypeNode::new().into(),
                other => DefinedTypeLinkNode::new(source.layout(other)?.name.as_str()).into(),
            })
        }
        Type::Array(array) => {
            Ok(ArrayTypeNode::fixed(kind(source, layout, field, &array.elem)?, source.length(&array.len)?)
                .into())
        }
        _ => Err(unknown(layout, field)),
    }
}

fn type_size(source: &Source, rust: &Type) -> Result<u64, IdlError> {
    match rust {
        Type::Path(path) => {
            let name = path.path.segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
            Ok(match name.as_str() {
                "u8" => 1,
                "u16" => 2,
                "u32" => 4,
                "u64" | "i64" => 8,
                "Key" => 32,
                other => size(source, source.layout(other)?)?,
            })
        }
        Type::Array(array) => Ok(type_size(source, &array.elem)? * source.length(&array.len)?),
        _ => Err(IdlError::Interface("a field's type is not known".to_owned())),
    }
}

fn bytes(size: usize) -> TypeNode {
    TypeNode::from(FixedSizeTypeNode::<TypeNode>::new(BytesTypeNode::new(), size))
}

fn unknown(layout: &Layout, field: &Field) -> IdlError {
    IdlError::Interface(format!("the type of {}.{} is not known", layout.name, field.name))
}
