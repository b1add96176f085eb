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

/// What a slot's record says of a household's part in its evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Its row landed, so its leaves are below the root.
    Landed,
    /// It has no row. Its leaves are below the root all the same if chain or witness refused
    /// the row after the root was made.
    Perhaps,
}

/// Without a row at most so many are tried in every combination.
const COMBINED_MAX: usize = 12;

/// Whose leaves, in household order, `root` is made of: everybody's whose row landed, and of
/// the others whichever the root says, since nothing else tells them apart. `None` when no
/// choice that was tried gives the root: of more than twelve without a row only none, all,
/// each one, and all but each one are tried.
pub fn members(root: [u8; 32], parts: &[(Standing, Vec<Vec<u8>>)]) -> Option<Vec<usize>> {
    let is_perhaps = |place: &usize| parts[*place].0 == Standing::Perhaps && !parts[*place].1.is_empty();
    let perhaps: Vec<usize> = (0..parts.len()).filter(is_perhaps).collect();
    let (none, all) = (vec![false; perhaps.len()], vec![true; perhaps.len()]);
    let but = |kind: &Vec<bool>, place: usize| {
        let mut choice = kind.clone();
        choice[place] = !choice[place];
        choice
    };
    let choices: Vec<Vec<bool>> = if perhaps.len() <= COMBINED_MAX {
        let bits = |mask: u32| (0..perhaps.len()).map(|bit| mask & (1 << bit) != 0).collect();
        (0..1 << perhaps.len()).map(bits).collect()
    } else {
        let each = (0..perhaps.len()).flat_map(|place| [but(&none, place), but(&all, place)]);
        [none.clone(), all.clone()].into_iter().chain(each).collect()
    };
    choices.into_iter().find_map(|choice| {
        let chosen = |place: &usize| match perhaps.iter().position(|perhaps| perhaps == place) {
            Some(index) => choice[index],
            None => parts[*place].0 == Standing::Landed,
        };
        let members: Vec<usize> = (0..parts.len()).filter(chosen).collect();
        let leaves = members.iter().flat_map(|place| &parts[*place].1).map(Vec::as_slice);
        (merkle_root(leaves) == root).then_some(members)
    })
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
    use super::{Standing, members, merkle_root};

    fn part(standing: Standing, leaf: u8) -> (Standing, Vec<Vec<u8>>) {
        (standing, vec![vec![leaf; 3]])
    }

    fn root_of(leaves: &[u8]) -> [u8; 32] {
        let leaves: Vec<[u8; 3]> = leaves.iter().map(|leaf| [*leaf; 3]).collect();
        merkle_root(leaves.iter().map(<[u8; 3]>::as_slice))
    }

    #[test]
    fn the_root_says_who_was_refused_after_it_was_made_and_who_was_held_before() {
        use Standing::{Landed, Perhaps};
        let parts = [part(Landed, 1), part(Perhaps, 2), part(Landed, 3), part(Perhaps, 4), (Perhaps, vec![])];
        assert_eq!(members(root_of(&[1, 3]), &parts), Some(vec![0, 2]));
        assert_eq!(members(root_of(&[1, 3, 4]), &parts), Some(vec![0, 2, 3]));
        assert_eq!(members(root_of(&[1, 2, 3, 4]), &parts), Some(vec![0, 1, 2, 3]));
        assert_eq!(members(root_of(&[1, 2, 4]), &parts), None, "whose row landed is below the root");
        assert_eq!(members(root_of(&[1, 3, 9]), &parts), None);
    }

    #[test]
    fn of_very_many_without_a_row_the_usual_choices_are_tried() {
        let many: Vec<_> = (0..100).map(|leaf| part(Standing::Perhaps, leaf)).collect();
        let all: Vec<u8> = (0..100).collect();
        let without: Vec<u8> = all.iter().copied().filter(|leaf| *leaf != 40).collect();
        assert_eq!(members(root_of(&all), &many).map(|members| members.len()), Some(100));
        assert_eq!(members(root_of(&without), &many).map(|members| members.len()), Some(99));
        assert_eq!(members(root_of(&[7]), &many), Some(vec![7]));
    }

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
