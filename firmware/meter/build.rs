//! Tells the linker where the ESP32-C3's memories are.

fn main() {
    println!("cargo::rustc-link-arg-bins=-Tlinkall.x");
}
