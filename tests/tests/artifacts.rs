//! The committed contracts are those of the sources, and both languages mean the same by every code and limit.

use rebut_engine::program::limits::{
    AFFINE_LIMIT, CHUNK, DIM_LIMIT, FANOUT_BITS, LEAF, MAX_ACCESSES, MAX_DESCRIPTOR, MAX_GUARDS, MAX_INDIRECTS,
    MAX_NODES, MAX_OPERANDS, MAX_RANK, MAX_REDUCTION_AXES, MAX_VIEWS, VERSION,
};
use rebut_engine::program::{DType, FoldOp, Op};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

const CONTRACTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../contracts");
const REBUILD: &str =
    "build the artifacts again: `npm ci && npm run artifacts` in contracts/, and commit contracts/artifacts";

/// Every Solidity file below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "sol") {
            found.push(path);
        }
    }
    found
}

#[test]
fn artifacts_are_built_from_these_sources() {
    let root = Path::new(CONTRACTS);
    let hashed: BTreeMap<String, String> = sources(&root.join("src"))
        .into_iter()
        .map(|path| {
            let hash = Sha256::digest(fs::read(&path).expect("a source"));
            let hash = hash.iter().map(|byte| format!("{byte:02x}")).collect();
            let parts: Vec<_> =
                path.strip_prefix(root).expect("below it").iter().map(|p| p.to_string_lossy()).collect();
            (parts.join("/"), hash)
        })
        .collect();
    assert!(hashed.len() > 20);
    let manifest = fs::read(root.join("artifacts/manifest.json")).expect("the manifest");
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).expect("JSON");
    let built =
        serde_json::from_value::<BTreeMap<String, String>>(manifest["sources"].clone()).expect("hashes by path");
    let paths: std::collections::BTreeSet<_> = hashed.keys().chain(built.keys()).collect();
    let stale: Vec<_> = paths.into_iter().filter(|p| hashed.get(*p) != built.get(*p)).collect();
    assert!(stale.is_empty(), "{stale:?} changed since the artifacts were built; {REBUILD}");
}

/// The integer constants that a Solidity file declares. What is not a plain number or `1 << n` is left out.
fn constants(path: &str) -> BTreeMap<String, u128> {
    let source = fs::read_to_string(Path::new(CONTRACTS).join("src").join(path)).expect("a source");
    let declared = source.lines().filter_map(|line| line.trim().strip_prefix("uint256 "));
    let constants = declared.filter_map(|line| {
        let (_, line) = line.split_once(" constant ")?;
        let (name, value) = line.split_once('=')?;
        Some((name.trim().to_string(), number(value.split(';').next()?.trim())?))
    });
    constants.collect()
}

fn number(text: &str) -> Option<u128> {
    let text = text.replace('_', "");
    if let Some((base, shift)) = text.split_once("<<") {
        return Some(number(base.trim())? << number(shift.trim())?);
    }
    text.strip_prefix("0x").map_or_else(|| text.parse().ok(), |hex| u128::from_str_radix(hex, 16).ok())
}

#[test]
fn operations_have_the_same_codes() {
    let mut solidity = constants("step/Scalar.sol");
    solidity.extend(constants("arith/F32Elementary.sol"));
    // Nodes that are no operations have codes below the first operation's.
    let operations: BTreeMap<_, _> = solidity.into_iter().filter(|&(_, code)| code >= 0x10).collect();
    let rust: BTreeMap<_, _> = Op::ALL.iter().map(|op| (op.name().to_uppercase(), u128::from(op.code()))).collect();
    assert_eq!(operations, rust);
}

#[test]
fn folds_have_the_same_codes() {
    let rust: BTreeMap<_, _> = FoldOp::ALL.iter().map(|op| (op.name().to_uppercase(), u128::from(op.code()))).collect();
    assert_eq!(constants("step/Reduction.sol"), rust);
}

#[test]
fn element_types_have_the_same_codes() {
    let solidity = constants("program/DataType.sol");
    for dtype in DType::ALL {
        let name = dtype.to_string().to_uppercase();
        assert_eq!(solidity.get(&name), Some(&u128::from(dtype.code())), "{name}");
    }
    let codes =
        solidity.iter().filter(|(name, _)| !name.contains("F16_") && !name.contains("F32_") && *name != "WIDTHS");
    assert_eq!(codes.count(), DType::ALL.len());
}

#[test]
fn limits_are_the_same() {
    let limits: [(&str, &str, u128); 15] = [
        ("Merkle.sol", "LEAF_BYTES", LEAF as u128),
        ("game/Descent.sol", "LEVELS", FANOUT_BITS.into()),
        ("program/Descriptor.sol", "MAX_BYTES", MAX_DESCRIPTOR as u128),
        ("program/Header.sol", "VERSION", VERSION.into()),
        ("program/Tensor.sol", "LIMIT", DIM_LIMIT.into()),
        ("program/Tensor.sol", "MAX_RANK", MAX_RANK as u128),
        ("step/Expression.sol", "MAX_NODES", MAX_NODES as u128),
        ("step/Instruction.sol", "CHUNK", CHUNK.into()),
        ("step/Instruction.sol", "MAX_ACCESSES", MAX_ACCESSES as u128),
        ("step/Instruction.sol", "MAX_EXTENTS", MAX_RANK as u128),
        ("step/Instruction.sol", "MAX_GUARDS", MAX_GUARDS as u128),
        ("step/Instruction.sol", "MAX_INDIRECTS", MAX_INDIRECTS as u128),
        ("step/Instruction.sol", "MAX_OPERANDS", MAX_OPERANDS as u128),
        ("step/Instruction.sol", "MAX_REDUCTION", MAX_REDUCTION_AXES as u128),
        ("step/Instruction.sol", "MAX_VIEWS", MAX_VIEWS as u128),
    ];
    for (path, name, rust) in limits {
        assert_eq!(constants(path).get(name), Some(&rust), "{name} of {path}");
    }
    // Contracts add affine forms in 256 bits, so they need no limit; Rust adds them in 128.
    let greatest = AFFINE_LIMIT.checked_mul(i128::from(u8::MAX));
    assert!(greatest.is_some());
}
