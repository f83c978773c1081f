//! Bytes of leaves that become a tensor's tree in a second, on one core: `cargo bench -p rebut-engine --bench hash`.

use rebut_engine::exec::Isa;
use rebut_engine::program::{DType, TensorType};
use rebut_engine::tensor::Tensor;
use rebut_engine::tree::TensorTree;
use std::hint::black_box;
use std::time::Instant;

const ELEMENTS: u64 = 1 << 22;
const ROUNDS: usize = 9;

fn main() {
    for dtype in [DType::F32, DType::I64, DType::U8] {
        let tensor = Tensor::zeros(&TensorType::new(dtype, [ELEMENTS])).expect("it fits in memory");
        for isa in [Isa::Auto, Isa::Avx2, Isa::Portable] {
            let seconds = (0..ROUNDS).map(|_| {
                let start = Instant::now();
                black_box(TensorTree::in_run(black_box(&tensor), isa)); // in none: on this thread
                start.elapsed().as_secs_f64()
            });
            let fastest = seconds.fold(f64::INFINITY, f64::min);
            let bytes = ELEMENTS as f64 * dtype.width() as f64;
            println!("{dtype:4} {:9} {:6.2} GB/s", format!("{isa:?}"), bytes / fastest / 1e9);
        }
    }
}
