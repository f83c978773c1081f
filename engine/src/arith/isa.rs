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
    /// AVX-512 F, DQ and VL, AVX2 and FMA.
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
            let eight = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            let sixteen = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl");
            if self == Self::Auto && eight && sixteen {
                return Level::Avx512;
            }
            if self != Self::Portable && eight {
                return Level::Avx2;
            }
        }
        Level::Portable
    }
}

/// Whether every CPU of this architecture has fused multiply-adds.
pub(crate) const FUSED: bool = cfg!(target_arch = "aarch64");

/// `name(level, arguments..)` calls `body(fused, arguments..)`, compiled once for each level, so that its loops become vectors of that width. The
/// body is a function that is always inlined; it is told whether a fused multiply-add is an instruction.
macro_rules! for_each_level {
    ($visibility:vis fn $name:ident $(<$lifetime:lifetime>)? = $body:path, ($($argument:ident: $type:ty),*) -> $result:ty) => {
        // SAFETY of the calls: a level is only used on a CPU that was asked for its features.
        #[allow(unsafe_code)]
        $visibility fn $name $(<$lifetime>)? (level: $crate::arith::Level, $($argument: $type),*) -> $result {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512dq,avx512vl")]
            fn avx512 $(<$lifetime>)? ($($argument: $type),*) -> $result {
                $body(true, $($argument),*)
            }
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2 $(<$lifetime>)? ($($argument: $type),*) -> $result {
                $body(true, $($argument),*)
            }
            match level {
                #[cfg(target_arch = "x86_64")]
                $crate::arith::Level::Avx512 => unsafe { avx512($($argument),*) },
                #[cfg(target_arch = "x86_64")]
                $crate::arith::Level::Avx2 => unsafe { avx2($($argument),*) },
                $crate::arith::Level::Portable => $body($crate::arith::FUSED, $($argument),*),
            }
        }
    };
}

pub(crate) use for_each_level;
