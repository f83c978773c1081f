//! Random lies about one program.

use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rebut_challenger::demo::lie_places;
use rebut_engine::package::Package;
use rebut_engine::program::ValueId;
use rebut_sim::adversary::Lie;
use std::collections::BTreeSet;

/// So many lies, or all that there are: each about another value, and once every value has had one, about other elements.
pub(crate) fn random_lies(package: &Package, count: usize, seed: u64) -> Vec<Lie> {
    chosen(lie_places(package), count, seed)
}

/// How many values they are about.
pub(super) fn values(lies: &[Lie]) -> usize {
    let values = lies.iter().filter_map(|lie| if let Lie::Element { value, .. } = lie { Some(*value) } else { None });
    values.collect::<BTreeSet<ValueId>>().len()
}

fn chosen(mut places: Vec<(ValueId, u64)>, count: usize, seed: u64) -> Vec<Lie> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    places.shuffle(&mut random);
    let mut told = BTreeSet::new();
    let mut lies = Vec::new();
    for round in 0.. {
        // In round r each value has r lies already.
        places.retain(|&(_, elements)| elements > round);
        if places.is_empty() || lies.len() == count {
            break;
        }
        for &(value, elements) in places.iter().take(count - lies.len()) {
            let element = loop {
                let element = random.random_range(0..elements);
                if told.insert((value, element)) {
                    break element;
                }
            };
            lies.push(Lie::Element { value, element });
        }
    }
    lies
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_come_first_and_no_lie_comes_twice() {
        let places = vec![(3, 1), (4, 1000), (7, 2), (9, 6)];
        for seed in 0..20 {
            let lies = chosen(places.clone(), 4, seed);
            assert_eq!((lies.len(), values(&lies)), (4, 4), "{lies:?}");
            let lies = chosen(places.clone(), 50, seed);
            let different: BTreeSet<String> = lies.iter().map(ToString::to_string).collect();
            assert_eq!((lies.len(), different.len()), (50, 50), "{lies:?}");
            assert!(different.contains("3:0") && different.contains("7:0") && different.contains("7:1"));
        }
    }

    #[test]
    fn there_may_be_fewer_than_asked_for() {
        assert_eq!(chosen(vec![(1, 2), (2, 1)], 50, 0).len(), 3);
        assert_eq!(chosen(vec![], 50, 0), []);
    }
}
