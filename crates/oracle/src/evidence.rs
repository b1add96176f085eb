//! The evidence of a slot: a Merkle root over the signed readings it rests on.
//!
//! The tree is RFC 6962's with SHA-256: a leaf is `H(0x00 || reading)`, a node
//! `H(0x01 || left || right)`, and the left half is the largest power of two that
//! leaves something on the right. A reading can then be shown to belong to a slot
//! with a path of about log2(n) hashes.

use sha2::{Digest as _, Sha256};

/// The root; 32 zero bytes when there is no evidence.
pub fn merkle_root<'a>(readings: impl IntoIterator<Item = &'a [u8]>) -> [u8; 32] {
    let mut level: Vec<[u8; 32]> = readings
        .into_iter()
        .map(|reading| Sha256::new().chain_update([0]).chain_update(reading).finalize().into())
        .collect();
    // Pairing neighbours and carrying an odd one up gives RFC 6962's tree.
    while level.len() > 1 {
        level = level.chunks(2).map(parent).collect();
    }
    level.first().copied().unwrap_or([0; 32])
}

/// A neighbour on the way up, and on which side it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Neighbour {
    Left([u8; 32]),
    Right([u8; 32]),
}

/// The neighbours from leaf `index` up to below the root; nothing for a leaf that is
/// not there.
pub(crate) fn merkle_path(leaves: &[&[u8]], index: usize) -> Vec<Neighbour> {
    let mut level: Vec<[u8; 32]> = leaves.iter().map(|leaf| merkle_root([*leaf])).collect();
    let mut path = Vec::new();
    let mut index = index;
    while level.len() > 1 {
        let neighbour = index ^ 1;
        if let Some(hash) = level.get(neighbour) {
            path.push(if neighbour < index { Neighbour::Left(*hash) } else { Neighbour::Right(*hash) });
        }
        level = level.chunks(2).map(parent).collect();
        index /= 2;
    }
    path
}

fn parent(pair: &[[u8; 32]]) -> [u8; 32] {
    match pair {
        [left, right] => {
            Sha256::new().chain_update([1]).chain_update(left).chain_update(right).finalize().into()
        }
        _ => pair[0],
    }
}

#[cfg(test)]
mod tests {
    use super::merkle_root;

    #[test]
    fn the_tree_is_rfc_6962s() {
        // Test vectors of Certificate Transparency's reference implementation.
        let leaves: [&[u8]; 8] = [
            b"",
            &[0x00],
            &[0x10],
            &[0x20, 0x21],
            &[0x30, 0x31],
            &[0x40, 0x41, 0x42, 0x43],
            &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
            &[0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d, 0x6e, 0x6f],
        ];
        for (count, root) in [
            (1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
            (2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
            (3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
            (5, "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"),
            (8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"),
        ] {
            let got = merkle_root(leaves[..count].iter().copied());
            assert_eq!(hex::encode(got), root, "{count} leaves");
        }
    }

    #[test]
    fn no_evidence_is_no_hash() {
        assert_eq!(merkle_root([]), [0; 32]);
    }
}
