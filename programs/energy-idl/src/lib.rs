//! The IDL of the energy program in Codama's format, derived from the interface
//! crate: wallets, explorers and client generators read it.
//!
//! Promises: nothing about the program is written down here a second time. Account
//! tables, errors, seeds, sizes and addresses are the interface's own constants;
//! fields, enums and their documentation are read from its source, as Codama's own
//! derive macros would, so that the interface needs neither attributes nor
//! dependencies for it. What a Rust type does not say is a short list in `fields`.
//! The same interface always gives the same text.

mod accounts;
mod docs;
mod events;
mod fields;
mod instructions;
mod pdas;
mod source;

use codama_nodes::{DefinedTypeNode, ErrorNode, ProgramNode, RootNode};
use jirani_energy_interface::{EnergyError, LOCAL_PROGRAM_ID};
use source::Source;

/// The interface's source does not look as this crate expects it.
#[derive(Debug, thiserror::Error)]
pub enum IdlError {
    /// A file is no Rust.
    #[error("idl.source: {file} of the energy interface cannot be parsed: {source}")]
    Source {
        /// Which file.
        file: &'static str,
        /// What the parser says.
        source: syn::Error,
    },
    /// Something is missing, or said twice.
    #[error("idl.interface: {0}; bring the interface and programs/energy-idl together")]
    Interface(String),
    /// The tree cannot be written.
    #[error("idl.json: the IDL cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// The IDL as a tree.
pub fn root() -> Result<RootNode, IdlError> {
    let source = Source::read()?;
    let mut program = ProgramNode::new("energy", LOCAL_PROGRAM_ID.to_string());
    program.version = env!("CARGO_PKG_VERSION").into();
    program.docs = vec![
        "Attested energy as tokens (1 atom is 1 Wh), sold by the kWh and settled by mobile money.".to_owned(),
        "The public key is that of an embedded chain; each public cluster has a deployment of its own."
            .to_owned(),
    ]
    .into();
    program.accounts = accounts::nodes(&source)?;
    program.instructions = instructions::nodes(&source)?;
    program.defined_types = defined_types(&source)?;
    program.pdas = pdas::nodes();
    program.events = events::nodes(&source)?;
    program.errors = EnergyError::ALL.iter().copied().map(error).collect();
    Ok(RootNode::new(program))
}

/// The IDL as it is committed.
pub fn text() -> Result<String, IdlError> {
    Ok(serde_json::to_string_pretty(&root()?)? + "\n")
}

/// Structs that are neither accounts nor an instruction's data, and all enums.
fn defined_types(source: &Source) -> Result<Vec<DefinedTypeNode>, IdlError> {
    let mut types = Vec::new();
    for layout in source.structs() {
        if !accounts::is_account(&layout.name) && !instructions::is_head(layout) {
            let mut node = DefinedTypeNode::new(layout.name.as_str(), fields::layout(source, layout)?);
            node.docs = layout.docs.clone().into();
            types.push(node);
        }
    }
    for choice in source.enums() {
        let mut node = DefinedTypeNode::new(choice.name.as_str(), fields::choice(choice));
        node.docs = choice.docs_with_variants().into();
        types.push(node);
    }
    Ok(types)
}

fn error(error: EnergyError) -> ErrorNode {
    let mut node = ErrorNode::new(format!("{error:?}"), error as u32, error.message());
    node.docs = vec![
        format!("`{}`", error.code()),
        "The upper half of the number, when not zero, is the place of the account it is about, from 1."
            .to_owned(),
    ]
    .into();
    node
}
