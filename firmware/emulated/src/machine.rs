//! The emulated machine: its first instructions, its console, its counter, its end.
//!
//! QEMU's `virt`: a 16550 at 0x1000_0000 and the test device at 0x0010_0000
//! (hw/riscv/virt.c, hw/misc/sifive_test.c).

use core::arch::{asm, global_asm};
use core::fmt::{self, Write as _};
use core::panic::PanicInfo;

const UART: *mut u8 = 0x1000_0000 as *mut u8;
const TEST_DEVICE: *mut u32 = 0x0010_0000 as *mut u32;
const PASS: u32 = 0x5555;
const FAIL: u32 = 0x3333;
/// What the stack is painted with.
const PAINT: u32 = 0x5AA5_5AA5;

global_asm!(
    ".section .init",
    ".global _start",
    "_start:",
    "la t0, {trap}",
    "csrw mtvec, t0",
    "la sp, __stack_top",
    "la t0, __stack_bottom",
    "li t1, {paint}",
    "1: sw t1, 0(t0)",
    "addi t0, t0, 4",
    "bltu t0, sp, 1b",
    "call {main}",
    trap = sym trap,
    main = sym crate::main,
    paint = const PAINT,
);

unsafe extern "C" {
    static __stack_bottom: u32;
    static __stack_top: u32;
}

/// The console.
pub struct Console;

impl fmt::Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            // SAFETY: the machine's UART is there; QEMU's takes a byte at any time.
            unsafe { UART.write_volatile(byte) };
        }
        Ok(())
    }
}

/// How the run ended.
#[derive(Clone, Copy)]
pub enum End {
    /// Everything was as it should be.
    Pass,
    /// Something was not.
    Fail,
}

/// Ends the emulation.
pub fn exit(end: End) -> ! {
    let code = match end {
        End::Pass => PASS,
        End::Fail => 1 << 16 | FAIL,
    };
    loop {
        // SAFETY: the machine's test device is there; this write ends the emulation.
        unsafe { TEST_DEVICE.write_volatile(code) };
    }
}

/// Instructions retired so far. Under `-icount shift=0` QEMU counts them exactly.
pub fn instructions() -> u64 {
    loop {
        let (high, low, again): (u32, u32, u32);
        // SAFETY: reads counters only.
        unsafe {
            asm!("csrr {0}, minstreth", "csrr {1}, minstret", "csrr {2}, minstreth",
                out(reg) high, out(reg) low, out(reg) again, options(nomem, nostack));
        }
        if high == again {
            return u64::from(high) << 32 | u64::from(low);
        }
    }
}

/// Most bytes of stack that were ever in use.
pub fn stack_used() -> usize {
    let (bottom, top) = (&raw const __stack_bottom, &raw const __stack_top);
    let mut place = bottom;
    // SAFETY: the linker script gives the stack's bounds; below the stack pointer nobody writes.
    while place < top && unsafe { place.read_volatile() } == PAINT {
        // SAFETY: still below the stack's top.
        place = unsafe { place.add(1) };
    }
    top as usize - place as usize
}

extern "C" fn trap() -> ! {
    let (cause, place): (u32, u32);
    // SAFETY: reads what the machine says of the trap.
    unsafe {
        asm!("csrr {0}, mcause", "csrr {1}, mepc", out(reg) cause, out(reg) place, options(nomem, nostack));
    }
    let _ = writeln!(Console, "error: trap {cause} at {place:#x}");
    exit(End::Fail)
}

#[panic_handler]
fn panicked(info: &PanicInfo<'_>) -> ! {
    let _ = writeln!(Console, "error: {info}");
    exit(End::Fail)
}
