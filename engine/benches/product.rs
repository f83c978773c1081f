//! Matrix products on one core beside the most that its multipliers can do: `cargo bench -p rebut-engine --bench product`.
//!
//! A product is a program as `MatMul` becomes one, run whole: what is prepared for a run, packing and sums of parts count.

mod peak;
mod support;

use rebut_engine::exec::{Isa, Options};
use std::hint::black_box;
use std::time::Instant;
use support::product;

const SIZES: [u64; 5] = [64, 128, 256, 512, 1024];
/// Each size runs until it has taken so many seconds, and so many times at least.
const SECONDS: f64 = 1.0;
const ROUNDS: usize = 2;

fn main() {
    let sets =
        [(Isa::Auto, "auto", peak::best()), (Isa::Avx2, "avx2", peak::avx2()), (Isa::Portable, "portable", None)];
    print!("{:>13}", "GFLOP/s");
    sets.iter().for_each(|(_, name, _)| print!(" {name:>9} of peak"));
    print!("\n{:>13}", "peak");
    sets.iter().for_each(|(_, _, peak)| print!(" {:>9} {:7}", peak.map_or("-".to_owned(), |p| format!("{p:.1}")), ""));
    println!();
    for size in SIZES {
        let work = product(size, size, size);
        print!("{:>13}", format!("{size}x{size}x{size}"));
        for (isa, _, peak) in sets {
            let options = Options { threads: 1, isa };
            let (mut fastest, mut all, mut rounds) = (f64::INFINITY, 0.0, 0);
            while all < SECONDS || rounds < ROUNDS {
                let start = Instant::now();
                black_box(work.run(&options));
                let seconds = start.elapsed().as_secs_f64();
                fastest = seconds.min(fastest);
                all += seconds;
                rounds += 1;
            }
            let speed = 2.0 * (size * size * size) as f64 / fastest / 1e9;
            let part = peak.map_or("-".to_owned(), |peak| format!("{:.0} %", 100.0 * speed / peak));
            print!(" {speed:>9.1} {part:>7}");
        }
        println!();
    }
}
