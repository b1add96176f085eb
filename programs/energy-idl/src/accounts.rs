//! The program's accounts: layout, size, first two bytes, address.

use crate::source::Source;
use crate::{IdlError, fields};
use codama_nodes::{AccountNode, FieldDiscriminatorNode, PdaLinkNode, SizeDiscriminatorNode};
use jirani_energy_interface::state::{Config, Evidence, Household, Marker, Offer, Order, Record};

struct Kind {
    name: &'static str,
    discriminator: u8,
    version: u8,
    size: u64,
    /// Markers stand at an address derived from a base key and a text, which the
    /// format cannot say.
    derived: bool,
}

const fn kind<T: Record>(name: &'static str, derived: bool) -> Kind {
    Kind { name, discriminator: T::DISCRIMINATOR, version: T::VERSION, size: T::LEN as u64, derived }
}

const KINDS: [Kind; 6] = [
    kind::<Config>("Config", true),
    kind::<Household>("Household", true),
    kind::<Offer>("Offer", true),
    kind::<Order>("Order", true),
    kind::<Marker>("Marker", false),
    kind::<Evidence>("Evidence", true),
];

/// Whether a layout is an account's.
pub fn is_account(name: &str) -> bool {
    KINDS.iter().any(|kind| kind.name == name)
}

/// All of them, in the order of their discriminators.
pub fn nodes(source: &Source) -> Result<Vec<AccountNode>, IdlError> {
    KINDS.iter().map(|kind| node(source, kind)).collect()
}

fn node(source: &Source, kind: &Kind) -> Result<AccountNode, IdlError> {
    let layout = source.layout(kind.name)?;
    if fields::size(source, layout)? != kind.size {
        return Err(IdlError::Interface(format!("the fields of {} do not add up to its size", kind.name)));
    }
    let mut data = fields::layout(source, layout)?;
    fields::fix_number(&mut data.fields, "discriminator", kind.discriminator)?;
    fields::fix_number(&mut data.fields, "version", kind.version)?;
    let mut node = AccountNode::new(kind.name, data);
    node.size = Some(kind.size);
    node.docs = layout.docs.clone().into();
    if kind.derived {
        node.pda = Some(PdaLinkNode::new(kind.name));
    } else {
        node.docs.push(
            "Its address is `createWithSeed(config, seed, program)`; the seed is `R` or `T` by the proof's kind \
             and the first 186 bits of the proof in URL-safe base 64.",
        );
    }
    node.discriminators = vec![
        FieldDiscriminatorNode::new("discriminator", 0).into(),
        FieldDiscriminatorNode::new("version", 1).into(),
        SizeDiscriminatorNode::new(kind.size).into(),
    ];
    Ok(node)
}
