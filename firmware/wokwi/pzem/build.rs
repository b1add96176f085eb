//! Tells the linker what Wokwi needs of a chip: its callbacks by their place in the table.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_ARCH").is_ok_and(|target| target == "wasm32") {
        println!("cargo::rustc-cdylib-link-arg=--export-table");
        println!("cargo::rustc-cdylib-link-arg=--strip-all");
        // One page of stack is plenty, and the simulator holds every chip's memory.
        println!("cargo::rustc-cdylib-link-arg=-zstack-size=32768");
    }
}
