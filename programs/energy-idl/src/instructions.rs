//! The instructions: data, accounts in the program's own table, and the accounts
//! that repeat after them.

use crate::source::{Layout, Source};
use crate::{IdlError, docs, events, fields, pdas};
use codama_nodes::{
    AccountLinkNode, AccountValueNode, ArgumentValueNode, ArrayTypeNode, BytesTypeNode, CamelCaseString,
    DefinedTypeLinkNode, FieldDiscriminatorNode, InstructionAccountNode, InstructionArgumentNode,
    InstructionInputValueNode, InstructionNode, InstructionRemainingAccountsNode, PdaLinkNode,
    PdaSeedValueNode, PdaValueNode, ProgramIdValueNode, PublicKeyValueNode, StructFieldTypeNode,
};
use jirani_energy_interface::accounts::{self, AccountSpec, Kind};
use jirani_energy_interface::instruction::Tag;
use jirani_energy_interface::programs;

/// Whether a layout is what an instruction's data begins with.
pub fn is_head(layout: &Layout) -> bool {
    layout.name.ends_with("Data")
        && docs::links(&layout.raw_docs).iter().any(|link| link.starts_with("Tag::"))
}

/// All of them, in the order of their tags.
pub fn nodes(source: &Source) -> Result<Vec<InstructionNode>, IdlError> {
    Tag::ALL.iter().map(|tag| node(source, *tag)).collect()
}

fn node(source: &Source, tag: Tag) -> Result<InstructionNode, IdlError> {
    let name = format!("{tag:?}");
    let head = head(source, tag, &name)?;
    let mut data = fields::layout(source, head)?.fields;
    fields::fix_number(&mut data, "tag", tag as u8)?;
    data.extend(tail(source, tag, head));
    let about =
        source.choice("Tag").and_then(|tags| tags.variants.iter().find(|variant| variant.name == name));
    Ok(InstructionNode {
        name: CamelCaseString::new(&name),
        docs: about.map(|variant| variant.doc.clone()).into_iter().collect::<Vec<_>>().into(),
        accounts: accounts::of(tag).iter().map(|spec| account(tag, spec)).collect(),
        arguments: data.into_iter().map(InstructionArgumentNode::from).collect(),
        remaining_accounts: accounts::repeated(tag)
            .iter()
            .map(|group| remaining(&name, group))
            .collect::<Result<_, _>>()?,
        discriminators: vec![FieldDiscriminatorNode::new("tag", 0).into()],
        ..InstructionNode::default()
    })
}

/// What the data begins with: the layout that says so in its documentation.
fn head<'a>(source: &'a Source, tag: Tag, name: &str) -> Result<&'a Layout, IdlError> {
    if tag == Tag::Event {
        return source.layout("Event");
    }
    let link = format!("Tag::{name}");
    let mut heads =
        source.structs().filter(|layout| is_head(layout) && docs::links(&layout.raw_docs).contains(&link));
    match (heads.next(), heads.next()) {
        (Some(head), None) => Ok(head),
        _ => Err(IdlError::Interface(format!("not exactly one layout is the data of {link}"))),
    }
}

/// What the data ends with, to its last byte.
fn tail(source: &Source, tag: Tag, head: &Layout) -> Option<StructFieldTypeNode> {
    if tag == Tag::Configure {
        let mut value = StructFieldTypeNode::new("value", BytesTypeNode::new());
        value.docs = vec![
            "The section's new value: `Tariff`, `Limits`, `OracleSet`, four `CappedKey` (attestors), one \
             `CappedKey` (custodian), `Caps`, or an address."
                .to_owned(),
        ]
        .into();
        return Some(value);
    }
    if tag == Tag::Event {
        return Some(StructFieldTypeNode::new("attestedRows", events::rows()));
    }
    let links = docs::links(&head.raw_docs);
    let item = links.iter().find_map(|link| source.layout(link).ok())?;
    let array = ArrayTypeNode::remainder(DefinedTypeLinkNode::new(item.name.as_str()));
    let mut node = StructFieldTypeNode::new(item.name.as_str(), array);
    node.docs = item.docs.clone().into();
    Some(node)
}

fn account(tag: Tag, spec: &AccountSpec) -> InstructionAccountNode {
    let mut node = InstructionAccountNode::new(spec.name, spec.writable, spec.signer);
    *node.default_value = default_value(tag, spec);
    node.account_link = match spec.kind {
        Kind::Config | Kind::Household | Kind::Offer | Kind::Order | Kind::Marker | Kind::Evidence => {
            Some(AccountLinkNode::new(format!("{:?}", spec.kind)))
        }
        _ => None,
    };
    node
}

/// Where an account's address follows from the others or from the data.
fn default_value(tag: Tag, spec: &AccountSpec) -> Option<InstructionInputValueNode> {
    match spec.kind {
        Kind::SystemProgram => return Some(PublicKeyValueNode::new(programs::SYSTEM.to_string()).into()),
        Kind::TokenProgram => return Some(PublicKeyValueNode::new(programs::TOKEN_2022.to_string()).into()),
        Kind::ThisProgram => return Some(ProgramIdValueNode::new().into()),
        _ => {}
    }
    let account = |name: &str| AccountValueNode::new(name);
    let argument = |name: &str| ArgumentValueNode::new(name);
    let seed = PdaSeedValueNode::new::<&str, AccountValueNode>;
    let seeds = match (tag, spec.name) {
        (Tag::Event, _) => return None,
        (_, "config" | "mint") => vec![],
        (_, "program_data") => {
            return Some(
                PdaValueNode::new(
                    PdaLinkNode::new(pdas::PROGRAM_DATA),
                    vec![seed("program", account("energy_program"))],
                )
                .into(),
            );
        }
        (_, "vault" | "from_vault" | "to_vault") => {
            let owner = owner(tag, spec.name)?;
            return Some(derived("vault", vec![seed("household", account(owner))]));
        }
        (_, "escrow") => vec![seed("offer", account("offer"))],
        (Tag::Enrol, "household") => vec![PdaSeedValueNode::new("householdId", argument("household_id"))],
        (Tag::Enrol, "evidence") => vec![PdaSeedValueNode::new("feeder", argument("feeder"))],
        (Tag::PostOffer, "offer") => {
            vec![seed("seller", account("seller")), PdaSeedValueNode::new("offerId", argument("offer_id"))]
        }
        (Tag::PlaceOrder, "order") => {
            vec![seed("buyer", account("buyer")), PdaSeedValueNode::new("orderId", argument("order_id"))]
        }
        _ => return None,
    };
    Some(derived(spec.name, seeds))
}

/// An address under the program that the instruction is for, which need not be the
/// one whose key the IDL carries.
fn derived(pda: &str, seeds: Vec<PdaSeedValueNode>) -> InstructionInputValueNode {
    let program = AccountValueNode::new("energy_program");
    PdaValueNode::new_with_program_id(PdaLinkNode::new(pda), seeds, program).into()
}

/// The household that a vault of the instruction belongs to.
fn owner(tag: Tag, vault: &str) -> Option<&'static str> {
    match vault.strip_suffix("_vault") {
        Some("from") => Some("from"),
        Some("to") => Some("to"),
        // The only household there is, or the one that is being made.
        _ => accounts::of(tag)
            .iter()
            .map(|spec| spec.name)
            .find(|name| matches!(*name, "household" | "seller" | "buyer")),
    }
}

/// A group that repeats is one flat list: `oracles`, or `householdsAndVaults`.
fn remaining(instruction: &str, group: &[AccountSpec]) -> Result<InstructionRemainingAccountsNode, IdlError> {
    let (signer, writable) = group.first().map_or((false, false), |spec| (spec.signer, spec.writable));
    if group.iter().any(|spec| (spec.signer, spec.writable) != (signer, writable)) {
        return Err(IdlError::Interface(format!(
            "the repeated accounts of {instruction} differ in their rights"
        )));
    }
    let names: Vec<_> = group.iter().map(|spec| format!("{}s", spec.name)).collect();
    let order: Vec<_> = group.iter().map(|spec| format!("`{}`", &*CamelCaseString::new(spec.name))).collect();
    Ok(InstructionRemainingAccountsNode {
        is_optional: None,
        is_signer: Some(signer.into()),
        is_writable: Some(writable),
        docs: vec![format!("For each, in this order: {}.", order.join(", "))].into(),
        value: Box::new(ArgumentValueNode::new(names.join("_and_")).into()),
        display: None,
    })
}
