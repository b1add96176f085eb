//! What is deployed: the program's account, its code and who may change it.

use super::plan::AdminError;
use crate::node::Node;
use jirani_energy_interface::{EnergyProgram, programs};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use solana_commitment_config::CommitmentConfig;

/// Bytes in front of the ELF in the loader's ProgramData account: a tag of 4, the
/// slot of 8, an authority of 1 + 32 (solana-loader-v3-interface, `UpgradeableLoaderState`).
const ELF_AT: usize = 45;

/// How the deployed code compares with ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Elf {
    /// It is the committed build, byte for byte.
    Committed,
    /// It is something else.
    Other,
}

/// A deployed program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Deployment {
    /// Its address.
    pub address: String,
    /// SHA-256 of its code, without the zeroes that fill up the account.
    pub elf_sha256: String,
    /// Bytes of its code.
    pub elf_bytes: usize,
    /// SHA-256 of the committed build.
    pub committed_sha256: String,
    /// Whether they are the same.
    pub elf: Elf,
    /// Who may replace it; null when nobody may any more.
    pub upgrade_authority: Option<String>,
    /// Slot of its last deployment.
    pub deployed_slot: u64,
}

impl Deployment {
    /// Reads what stands at the program's address; `None` when it is no upgradeable
    /// program. `committed` is the ELF that this version was built with.
    pub(super) async fn read(
        node: &Node,
        program: &EnergyProgram,
        committed: &[u8],
    ) -> Result<Option<Self>, AdminError> {
        let addresses = [program.id, program.program_data()];
        let mut accounts = node.accounts(&addresses, CommitmentConfig::confirmed()).await?.into_iter();
        let (Some(Some(account)), Some(Some(data))) = (accounts.next(), accounts.next()) else {
            return Ok(None);
        };
        if !account.executable || account.owner != programs::LOADER {
            return Ok(None);
        }
        Ok(Self::decode(program.id.to_string(), &data.data, committed))
    }

    fn decode(address: String, data: &[u8], committed: &[u8]) -> Option<Self> {
        let deployed_slot = u64::from_le_bytes(data.get(4..12)?.try_into().ok()?);
        let upgrade_authority = match data.get(12)? {
            0 => None,
            _ => Some(super::plan::address(data.get(13..ELF_AT)?.try_into().ok()?).to_string()),
        };
        let filled = data.get(ELF_AT..)?;
        // An ELF may end in zeroes of its own: what is ours is compared at its length.
        let same = filled.get(..committed.len()) == Some(committed)
            && filled.get(committed.len()..)?.iter().all(|byte| *byte == 0);
        let code = if same {
            committed
        } else {
            let end = filled.iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1);
            filled.get(..end)?
        };
        Some(Self {
            address,
            elf_sha256: hex(&Sha256::digest(code)),
            elf_bytes: code.len(),
            committed_sha256: hex(&Sha256::digest(committed)),
            elf: if same { Elf::Committed } else { Elf::Other },
            upgrade_authority,
            deployed_slot,
        })
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = std::fmt::Write::write_fmt(&mut text, format_args!("{byte:02x}"));
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(authority: Option<[u8; 32]>, code: &[u8], padding: usize) -> Vec<u8> {
        let mut data = vec![3, 0, 0, 0];
        data.extend(77_u64.to_le_bytes());
        data.push(u8::from(authority.is_some()));
        data.extend(authority.unwrap_or_default());
        data.extend(code);
        data.extend(vec![0; padding]);
        data
    }

    #[test]
    fn code_is_compared_without_the_padding_of_its_account() {
        let committed = [1, 2, 0];
        let found =
            Deployment::decode("p".to_owned(), &data(Some([7; 32]), &committed, 5), &committed).unwrap();
        assert_eq!((found.elf, found.elf_bytes, found.deployed_slot), (Elf::Committed, 3, 77));
        assert_eq!(found.elf_sha256, found.committed_sha256);
        assert_eq!(found.upgrade_authority, Some(super::super::plan::address(&[7; 32]).to_string()));
        let other = Deployment::decode("p".to_owned(), &data(None, &[1, 2, 0, 4], 5), &committed).unwrap();
        assert_eq!((other.elf, other.elf_bytes, other.upgrade_authority), (Elf::Other, 4, None));
        assert_eq!(Deployment::decode("p".to_owned(), &[3, 0], &committed), None);
    }
}
