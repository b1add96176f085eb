//! A new migration is no change of any source file: without this, cargo would not
//! notice it.

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
