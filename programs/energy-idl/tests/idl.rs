//! The committed IDL is the one that follows from the interface.
#![allow(clippy::unwrap_used, reason = "a test ends where it fails")]

use std::path::Path;

#[test]
fn the_committed_idl_is_the_one_the_interface_makes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../energy/idl/energy.json");
    let made = jirani_energy_idl::text().unwrap();
    if std::env::var_os("JIRANI_UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &made).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        made == committed,
        "programs/energy/idl/energy.json is out of date: run \
         `JIRANI_UPDATE=1 cargo test --release -p jirani-energy-idl`, then `npm run generate` in programs/energy-client"
    );
}
