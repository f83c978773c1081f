//! Which vector instructions are used: never a matter of results, only of speed.

/// The instruction set that may be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Isa {
    /// The best that this CPU has.
    #[default]
    Auto,
    /// No better than AVX2.
    Avx2,
    /// No instructions beyond the compilation target's: the same bits, slower.
    Portable,
}

/// The instruction set that is used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Level {
    /// AVX-512 F, DQ and VL.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// AVX2 and FMA.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// The compilation target's.
    Portable,
}

impl Isa {
    /// The best level that is allowed and that this CPU has.
    pub(crate) fn level(self) -> Level {
        #[cfg(target_arch = "x86_64")]
        {
            let wide = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl");
            if self == Self::Auto && wide {
                return Level::Avx512;
            }
            if self != Self::Portable && is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                return Level::Avx2;
            }
        }
        Level::Portable
    }
}
