//! Tensor data in files beside the model. A model may come from anybody, so it may name only files inside its own folder.

use super::proto::StringStringEntryProto;
use crate::program::TensorType;
use crate::tensor::{Order, Tensor};
use std::fs::File;
use std::io::{BufReader, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};

/// Bytes that are read at once.
const READ: usize = 1 << 20;

/// The tensor whose bytes `entries` point to: read straight into its place, as weights may be gigabytes.
pub(super) fn read(
    entries: &[StringStringEntryProto],
    folder: Option<&Path>,
    ty: &TensorType,
) -> Result<Tensor, String> {
    let expected = ty.bytes();
    let folder = folder.ok_or("its data is in another file, and this was not read from a folder")?;
    let entry = |key: &str| entries.iter().find(|e| e.key == key).map(|e| e.value.as_str());
    let number = |key: &str| match entry(key) {
        None => Ok(None),
        Some(text) => text.parse::<u64>().map(Some).map_err(|_| format!("external {key} `{text}` is no number")),
    };
    let location = entry("location").ok_or("its data is said to be external, but no location is given")?;
    let offset = number("offset")?.unwrap_or(0);
    let length = number("length")?.unwrap_or(expected);
    if length != expected {
        return Err(format!("its shape takes {expected} bytes, its external data has {length}"));
    }
    let path = inside(folder, location)?;
    let failed = |e: std::io::Error| format!("external data `{location}`: {e}");
    let mut file = File::open(&path).map_err(failed)?;
    let meta = file.metadata().map_err(failed)?;
    if !meta.is_file() || offset.checked_add(length).is_none_or(|end| end > meta.len()) {
        return Err(format!("external data `{location}` has no {length} bytes at {offset}; copy the whole data file"));
    }
    file.seek(SeekFrom::Start(offset)).map_err(failed)?;
    Tensor::read(ty, &mut BufReader::with_capacity(READ, file), Order::Little).map_err(failed)
}

/// The file at `location` in `folder`, after symbolic links, if it is inside.
fn inside(folder: &Path, location: &str) -> Result<PathBuf, String> {
    let relative = Path::new(location);
    let plain = relative.components().all(|c| matches!(c, Component::Normal(_) | Component::CurDir));
    let failed = |e: std::io::Error| format!("external data `{location}`: {e}");
    let outside = || format!("external data `{location}` is outside the model's folder; move it beside the model");
    if !plain {
        return Err(outside());
    }
    let folder = folder.canonicalize().map_err(failed)?;
    let path = folder.join(relative).canonicalize().map_err(failed)?;
    if path.starts_with(&folder) { Ok(path) } else { Err(outside()) }
}
