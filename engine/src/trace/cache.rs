//! Traces on disk: every instruction's result, in order, as it is made.
//!
//! Nothing in the file says how long anything is: the program does. A result is there if the root behind it is that of its leaves; the first that
//! is not ends what is taken from the file, and the run writes the rest. So an interrupted or damaged file is as good as a shorter one.
//!
//! A file is a convenience of the machine that wrote it: a few elements of every value are computed again, but only a new run proves a
//! trace. Do not take files from others.

use crate::arith::Isa;
use crate::hash::{Hash, keccak};
use crate::package::Package;
use crate::program::limits::LEAF;
use crate::program::{Source, TensorType, ValueId};
use crate::tensor::{Order, Tensor};
use crate::tree::{Leaf, TensorTree, leaf_count, leaf_of, leaves_root};
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// First bytes of a trace file. There follow the program's id, the digest of the inputs' roots, and for each instruction its result's leaves
/// (512 bytes each, as they are hashed) and its tensor root.
const MAGIC: [u8; 8] = *b"rbtrace\x02";
/// Bytes before the first result.
const HEAD: u64 = 8 + 32 + 32;
/// Bytes that are read or written at once.
const PIECE: usize = 1 << 20;

/// Why a trace file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// Not a trace file.
    #[error("this is not a rebut trace of this version (delete the file to compute the trace again)")]
    Magic,
    /// A trace of something else.
    #[error("the trace file is of another {0} (delete it to compute the trace again)")]
    Other(&'static str),
    /// A value that the program does not compute.
    #[error("the trace file is wrong about value {value} element {element}: it was not made by this program")]
    Wrong {
        /// The value.
        value: ValueId,
        /// The element.
        element: u64,
    },
    /// Another trace is using it.
    #[error("the trace file is in use")]
    Busy,
    /// The file cannot be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A trace file that is being read or written.
#[derive(Debug)]
pub(super) struct CacheFile {
    file: Mutex<File>,
    /// Where each result begins; `None` for values that are no results.
    places: Vec<Option<Place>>,
    /// Where the last result ends.
    end: u64,
    /// The first value that is not taken from the file.
    taken: ValueId,
    /// Whether the run has come to what is not in the file.
    writing: bool,
    failed: Option<io::Error>,
}

/// A result in the file.
#[derive(Clone, Debug)]
struct Place {
    start: u64,
    leaves: u64,
    ty: TensorType,
}

impl Place {
    /// Bytes of the leaves.
    fn size(&self) -> u64 {
        self.leaves.saturating_mul(LEAF as u64)
    }
}

impl CacheFile {
    /// Opens the file of a trace, or begins it.
    pub(super) fn open(path: &Path, package: &Package, inputs: &[Hash]) -> Result<Self, CacheError> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        file.try_lock().map_err(|e| match e {
            std::fs::TryLockError::WouldBlock => CacheError::Busy,
            std::fs::TryLockError::Error(e) => e.into(),
        })?;
        let inputs = keccak(&inputs.iter().flat_map(|root| root.0).collect::<Vec<u8>>());
        begin(&file, package.identity().program_id, inputs)?;
        let mut end = HEAD;
        let place = |value: &crate::program::Value| {
            let Source::Instruction(_) = value.source else { return None };
            let leaves = leaf_count(value.ty.dtype, value.ty.elements());
            let place = Place { start: end, leaves, ty: value.ty.clone() };
            end = end.saturating_add(place.size()).saturating_add(32);
            Some(place)
        };
        let places = package.program().values.iter().map(place).collect();
        Ok(Self { file: Mutex::new(file), places, end, taken: 0, writing: false, failed: None })
    }

    fn place(&self, value: ValueId) -> Option<&Place> {
        self.places.get(usize::try_from(value).ok()?)?.as_ref()
    }

    /// The next result and its tree, if it is there whole. To be asked for every value in order.
    pub(super) fn next(&mut self, value: ValueId, isa: Isa) -> Option<(Tensor, TensorTree)> {
        let place = self.place(value).filter(|_| !self.writing)?.clone();
        let read = self.read(&place, isa);
        match read {
            Ok(Some(read)) => {
                self.taken = value + 1;
                Some(read)
            }
            // What cannot be read is written anew; if that fails, too, the run ends with the reason.
            Ok(None) | Err(_) => {
                self.writing = true;
                None
            }
        }
    }

    fn read(&mut self, place: &Place, isa: Isa) -> io::Result<Option<(Tensor, TensorTree)>> {
        let file = self.file.get_mut().unwrap_or_else(PoisonError::into_inner);
        // No memory is taken for what the file does not hold.
        let end = place.start.saturating_add(place.size()).saturating_add(32);
        if file.metadata()?.len() < end {
            return Ok(None);
        }
        file.seek(SeekFrom::Start(place.start))?;
        let mut from = BufReader::with_capacity(PIECE, &*file);
        let tensor = Tensor::read(&place.ty, &mut from, Order::Big)?;
        let elements = place.ty.bytes();
        let (mut padding, mut root) = ([0; LEAF], [0; 32]);
        let padding = padding.get_mut(..(place.size() - elements) as usize).unwrap_or_default(); // at most one leaf
        from.read_exact(padding)?;
        from.read_exact(&mut root)?;
        let tree = TensorTree::in_run(&tensor, isa);
        let whole = padding.iter().all(|&b| b == 0) && tree.root().0 == root;
        Ok(whole.then_some((tensor, tree)))
    }

    /// Writes a result that was not in the file. What goes wrong is told by [`finish`](Self::finish).
    pub(super) fn put(&mut self, value: ValueId, tensor: &Tensor, root: Hash) {
        let Some(place) = self.place(value).filter(|_| self.writing && self.failed.is_none()).cloned() else { return };
        let file = self.file.get_mut().unwrap_or_else(PoisonError::into_inner);
        self.failed = write(file, &place, tensor, root).err();
    }

    /// Ends the run: how many values were taken from the file.
    pub(super) fn finish(&mut self) -> Result<ValueId, CacheError> {
        if let Some(error) = self.failed.take() {
            return Err(error.into());
        }
        self.file.get_mut().unwrap_or_else(PoisonError::into_inner).set_len(self.end)?;
        Ok(self.taken)
    }

    /// Leaves of one group of a result whose tree is `tree`; `None` where the file cannot be read or holds others.
    pub(super) fn leaves(&self, value: ValueId, tree: &TensorTree, leaves: Range<u64>) -> Option<Vec<Leaf>> {
        let place = self.place(value)?;
        let (group, all) = tree.group(leaves.start);
        let mut read = vec![[0; LEAF]; usize::try_from(all.end - all.start).ok()?];
        let there = place.leaves.saturating_sub(all.start).min(all.end - all.start) as usize; // at most a group
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.seek(SeekFrom::Start(place.start.saturating_add(all.start.saturating_mul(LEAF as u64)))).ok()?;
        file.read_exact(read.get_mut(..there)?.as_flattened_mut()).ok()?;
        drop(file);
        if leaves_root(&read) != Some(tree.group_root(group)) {
            return None;
        }
        let within = |leaf: u64| usize::try_from(leaf.checked_sub(all.start)?).ok();
        read.get(within(leaves.start)?..within(leaves.end)?).map(<[Leaf]>::to_vec)
    }
}

/// Makes sure that the file begins as one of this program and these inputs.
fn begin(mut file: &File, program: Hash, inputs: Hash) -> Result<(), CacheError> {
    let head = [&MAGIC[..], &program.0, &inputs.0].concat();
    let mut found = Vec::new();
    file.take(HEAD).read_to_end(&mut found)?;
    if found == head {
        return Ok(());
    }
    if head.starts_with(&found) {
        file.rewind()?;
        return Ok(file.write_all(&head)?);
    }
    match found.get(MAGIC.len()..MAGIC.len() + 32) {
        _ if !found.starts_with(&MAGIC) => Err(CacheError::Magic),
        Some(id) if id == program.0 => Err(CacheError::Other("input")),
        _ => Err(CacheError::Other("program")),
    }
}

fn write(file: &mut File, place: &Place, tensor: &Tensor, root: Hash) -> io::Result<()> {
    file.seek(SeekFrom::Start(place.start))?;
    let mut to = BufWriter::with_capacity(PIECE, file);
    (0..place.leaves).try_for_each(|leaf| to.write_all(&leaf_of(tensor, leaf)))?;
    to.write_all(&root.0)?;
    to.flush()
}
