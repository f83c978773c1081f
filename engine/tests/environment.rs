//! A process that changed its floating-point modes is refused, whatever mode it is.
#![cfg(target_arch = "x86_64")]
#![allow(unsafe_code)]

use rebut_engine::exec::{Environment, check_environment};
use std::arch::asm;

/// Runs `f` on a thread of its own with other control bits.
fn with_mxcsr(bits: u32, f: impl FnOnce() -> Result<(), Environment> + Send) -> Result<(), Environment> {
    std::thread::scope(|scope| {
        let run = || {
            let mut saved = 0u32;
            // SAFETY: the control register is put back before anything else of this thread computes with floats.
            unsafe { asm!("stmxcsr [{}]", in(reg) &raw mut saved) };
            let changed = saved | bits;
            // SAFETY: as above; `f` only looks at the mode.
            unsafe { asm!("ldmxcsr [{}]", in(reg) &raw const changed) };
            let result = f();
            // SAFETY: as above.
            unsafe { asm!("ldmxcsr [{}]", in(reg) &raw const saved) };
            result
        };
        scope.spawn(run).join().expect("it does not panic")
    })
}

#[test]
fn changed_modes_are_found() {
    const FLUSH_RESULTS: u32 = 1 << 15;
    const FLUSH_ARGUMENTS: u32 = 1 << 6;
    const DOWN: u32 = 1 << 13;
    const UP: u32 = 2 << 13;
    assert_eq!(check_environment(), Ok(()));
    assert_eq!(with_mxcsr(0, check_environment), Ok(()));
    for (bits, found) in [
        (FLUSH_RESULTS, Environment::Flushes),
        (FLUSH_ARGUMENTS, Environment::Flushes),
        (DOWN, Environment::Rounds),
        (UP, Environment::Rounds),
        (DOWN | UP, Environment::Rounds),
    ] {
        assert_eq!(with_mxcsr(bits, check_environment), Err(found), "{bits:#x}");
    }
}
