//! Program-derived addresses: the interface's seeds and what follows them.

use codama_nodes::{
    ConstantPdaSeedNode, NumberFormat, NumberTypeNode, PdaNode, PdaSeedNode, PublicKeyTypeNode,
    StringTypeNode, StringValueNode, TypeNode, VariablePdaSeedNode,
};
use jirani_energy_interface::{programs, seeds};

/// Name of the address of the program's ProgramData, which the loader derives.
pub const PROGRAM_DATA: &str = "programData";

/// All of them.
pub fn nodes() -> Vec<PdaNode> {
    let key = || TypeNode::from(PublicKeyTypeNode::new());
    let number = |format| TypeNode::from(NumberTypeNode::le(format));
    let mut program_data = PdaNode::new(PROGRAM_DATA, vec![variable("program", key())]);
    program_data.program_id = Some(programs::LOADER.to_string());
    program_data.docs = vec!["The program's ProgramData; it names the upgrade authority.".to_owned()].into();
    vec![
        node(
            "config",
            seeds::CONFIG,
            "The one Config: authority of the mint, all vaults and escrows.",
            vec![],
        ),
        node("mint", seeds::MINT, "The eKWh mint.", vec![]),
        node(
            "household",
            seeds::HOUSEHOLD,
            "A household's record.",
            vec![variable("householdId", number(NumberFormat::U32))],
        ),
        node("vault", seeds::VAULT, "A household's token account.", vec![variable("household", key())]),
        node(
            "offer",
            seeds::OFFER,
            "A seller's offer.",
            vec![variable("seller", key()), variable("offerId", number(NumberFormat::U64))],
        ),
        node("escrow", seeds::ESCROW, "An offer's token account.", vec![variable("offer", key())]),
        node(
            "order",
            seeds::ORDER,
            "A buyer's order.",
            vec![variable("buyer", key()), variable("orderId", number(NumberFormat::U64))],
        ),
        node(
            "evidence",
            seeds::EVIDENCE,
            "A feeder's evidence.",
            vec![variable("feeder", number(NumberFormat::U16))],
        ),
        program_data,
    ]
}

fn node(name: &str, first: &[u8], doc: &str, rest: Vec<PdaSeedNode>) -> PdaNode {
    let text = String::from_utf8_lossy(first);
    let first = ConstantPdaSeedNode::new(StringTypeNode::utf8(), StringValueNode::new(text));
    let mut node = PdaNode::new(name, std::iter::once(first.into()).chain(rest).collect());
    node.docs = vec![doc.to_owned()].into();
    node
}

fn variable(name: &str, kind: TypeNode) -> PdaSeedNode {
    VariablePdaSeedNode::new(name, kind).into()
}
