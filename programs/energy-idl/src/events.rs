//! Events, which the program sends itself as inner instructions.

use crate::IdlError;
use crate::source::Source;
use codama_nodes::{
    ArrayTypeNode, BytesTypeNode, BytesValueNode, ConstantDiscriminatorNode, ConstantValueNode,
    DefinedTypeLinkNode, EventNode, FixedSizeTypeNode, StructFieldTypeNode, StructTypeNode, TypeNode,
};
use jirani_energy_interface::event::EventKind;
use jirani_energy_interface::instruction::Tag;

/// One per kind: the fixed part, and an attestation's rows after it. Told apart by
/// the first two bytes, the instruction's tag and the kind.
pub fn nodes(source: &Source) -> Result<Vec<EventNode>, IdlError> {
    let kinds = source
        .choice("EventKind")
        .ok_or_else(|| IdlError::Interface("there is no enum EventKind".to_owned()))?;
    let nodes = EventKind::ALL.iter().zip(&kinds.variants).map(|(kind, variant)| {
        let fixed = DefinedTypeLinkNode::new("event");
        let data = if *kind == EventKind::Attested {
            TypeNode::from(StructTypeNode::new(vec![
                StructFieldTypeNode::new("event", fixed),
                StructFieldTypeNode::new("rows", rows()),
            ]))
        } else {
            fixed.into()
        };
        let mut node = EventNode::new(variant.name.as_str(), data);
        node.docs = vec![variant.doc.clone()].into();
        let bytes = BytesValueNode::base16(format!("{:02x}{:02x}", Tag::Event as u8, *kind as u8));
        let two = FixedSizeTypeNode::<TypeNode>::new(BytesTypeNode::new(), 2);
        node.discriminators = vec![
            ConstantDiscriminatorNode::new(ConstantValueNode::new(TypeNode::from(two), bytes), 0).into(),
        ];
        node
    });
    Ok(nodes.collect())
}

/// The rows of an attestation, to the end of the data.
pub fn rows() -> ArrayTypeNode {
    ArrayTypeNode::remainder(DefinedTypeLinkNode::new("attestedRow"))
}
