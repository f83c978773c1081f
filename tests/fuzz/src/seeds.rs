//! What the search begins with: files that the project's own code makes.

use crate::checks::{cache, importer};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rebut_engine::package::Package;
use rebut_engine::program::program_text;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, exit};

mod operators;
#[path = "../../src/random_program.rs"]
#[allow(missing_docs, unreachable_pub)]
mod random_program;

pub(crate) use operators::OPERATORS;

/// Names the folder for seeds; a target that is started with it writes them and ends.
const FOLDER: &str = "REBUT_FUZZ_SEEDS";
/// ONNX's backend cases, seen from the repository; they are not a part of it.
const CASES: &str = "../shared/onnx-conformance/onnx_backend_pure_cases.tar.xz";
/// Longer files change too slowly.
const LARGEST: usize = 4096;
/// Random programs of one to three instructions.
const PROGRAMS: u64 = 48;

/// Writes the seeds of a target and ends the process, if the environment asks for it.
pub fn write_if_asked(target: &str) {
    let Some(folder) = std::env::var_os(FOLDER) else { return };
    match write(target, Path::new(&folder)) {
        Ok(count) => {
            println!("{count} seeds for {target}");
            exit(0)
        }
        Err(error) => {
            eprintln!("the seeds for {target} cannot be written: {error}");
            exit(1)
        }
    }
}

fn write(target: &str, folder: &Path) -> std::io::Result<usize> {
    let seeds: BTreeSet<Vec<u8>> = match target {
        "importer" => models()?.into_iter().collect(),
        "cache" => BTreeSet::from([cache::honest()]),
        _ => {
            let compiled = models()?.iter().filter_map(|m| importer::compile(m)).collect::<Vec<_>>();
            let random = (0..PROGRAMS).map(|seed| {
                random_program::random_package(&mut ChaCha8Rng::seed_from_u64(seed), 1 + seed as usize % 3).0
            });
            let file = |package: Package| match target {
                "text" => program_text(package.program()).into_bytes(),
                _ => package.to_bytes().expect("a package has a file"),
            };
            random.chain(compiled).map(file).filter(|f| f.len() <= LARGEST).collect()
        }
    };
    fs::create_dir_all(folder)?;
    for (number, seed) in seeds.iter().enumerate() {
        fs::write(folder.join(format!("{number:04}")), seed)?;
    }
    Ok(seeds.len())
}

/// One model for each operator, and the small ones of the backend cases.
fn models() -> std::io::Result<Vec<Vec<u8>>> {
    let mut models: Vec<Vec<u8>> = OPERATORS.iter().flat_map(|op| (1..=3).map(|n| one_node(op, n))).collect();
    let archive = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(CASES);
    if !archive.is_file() {
        println!("{CASES} is not beside the repository: the seeds are models of one node only");
        return Ok(models);
    }
    let folder = tempfile::tempdir()?;
    let status = Command::new("tar").arg("xf").arg(&archive).arg("-C").arg(folder.path()).status()?;
    if !status.success() {
        return Err(std::io::Error::other(format!("tar cannot unpack {}", archive.display())));
    }
    for path in files(folder.path())? {
        if path.file_name().is_some_and(|name| name == "model.onnx") {
            let model = fs::read(path)?;
            if model.len() <= LARGEST {
                models.push(model);
            }
        }
    }
    Ok(models)
}

fn files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            all.extend(files(&path)?);
        } else {
            all.push(path);
        }
    }
    Ok(all)
}

/// A model of one node over inputs of shape [2, 3].
fn one_node(operator: &str, inputs: u8) -> Vec<u8> {
    let message = |number: u8, inside: &[u8]| [&[number << 3 | 2, inside.len() as u8], inside].concat(); // below 128
    let name = |i: u8| [b'a' + i];
    let tensor = [&[8, 1][..], &message(2, &[message(1, &[8, 2]), message(1, &[8, 3])].concat())].concat();
    let value = |i: u8| [message(1, &name(i)), message(2, &message(1, &tensor))].concat();
    let mut node: Vec<u8> = (0..inputs).flat_map(|i| message(1, &name(i))).collect();
    node.extend(message(2, b"y"));
    node.extend(message(4, operator.as_bytes()));
    let mut graph = message(1, &node);
    (0..inputs).for_each(|i| graph.extend(message(11, &value(i))));
    graph.extend(message(12, &message(1, b"y")));
    let length = [graph.len() as u8 | 0x80, (graph.len() >> 7) as u8];
    [&[8, 8][..], &[7 << 3 | 2], &length, &graph, &message(8, &[16, 22])].concat()
}
