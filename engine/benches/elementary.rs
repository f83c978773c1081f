//! Elements per second of the elementary functions on one core: `cargo bench -p rebut-engine --bench elementary`.

use std::hint::black_box;
use std::time::Instant;

use rebut_engine::arith::native::{self, vector};
use rebut_engine::exec::Isa;

const LENGTH: usize = 1 << 20;
const ROUNDS: usize = 15;

type Vector = fn(&[f32], &mut [f32], Isa);
/// Name, over slices, of one number, the arguments' ends.
type Case = (&'static str, Option<Vector>, fn(f32) -> f32, f32, f32);

const CASES: [Case; 12] = [
    ("exp", Some(vector::exp), native::exp, -10.0, 10.0),
    ("log", Some(vector::log), native::log, 0.0, 100.0),
    ("tanh", Some(vector::tanh), native::tanh, -10.0, 10.0),
    ("sigmoid", Some(vector::sigmoid), native::sigmoid, -10.0, 10.0),
    ("erf", Some(vector::erf), native::erf, -4.0, 4.0),
    ("rsqrt", Some(vector::rsqrt), native::rsqrt, 0.0, 100.0),
    ("sin", None, native::sin, -100.0, 100.0),
    ("cos", None, native::cos, -100.0, 100.0),
    ("tan", None, native::tan, -100.0, 100.0),
    ("asin", None, native::asin, -1.0, 1.0),
    ("acos", None, native::acos, -1.0, 1.0),
    ("atan", None, native::atan, -10.0, 10.0),
];

fn main() {
    println!("{:8} {:>12} {:>12} {:>12}  million elements a second", "", "auto", "portable", "scalar");
    for (name, vector, scalar, low, high) in CASES {
        // A permutation of an even spacing, so that branches cannot be learnt.
        let x: Vec<f32> =
            (0..LENGTH).map(|i| low + (high - low) * (i * 0x9e375 % LENGTH) as f32 / LENGTH as f32).collect();
        let mut out = vec![0.0; LENGTH];
        let mut speed = |run: &mut dyn FnMut(&[f32], &mut [f32])| {
            let fastest = (0..ROUNDS).map(|_| {
                let start = Instant::now();
                run(black_box(&x), black_box(&mut out));
                start.elapsed().as_secs_f64()
            });
            format!("{:.0}", LENGTH as f64 / 1e6 / fastest.fold(f64::INFINITY, f64::min))
        };
        let [auto, portable] = [Isa::Auto, Isa::Portable]
            .map(|isa| vector.map_or("-".to_owned(), |vector| speed(&mut |x, out| vector(x, out, isa))));
        let scalar = speed(&mut |x, out| x.iter().zip(out).for_each(|(&x, out)| *out = scalar(x)));
        println!("{name:8} {auto:>12} {portable:>12} {scalar:>12}");
    }
}
