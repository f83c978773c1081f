//! What compiling may take: a file of a few bytes may ask for much.

use super::Lowering;

/// Greatest number of elements, and of reduced elements, of one instruction that is computed when compiling.
pub(super) const FOLD_LIMIT: u64 = 1 << 16;
/// The same of all instructions; beyond it they are left to the run.
const FOLD_TOTAL: u64 = 1 << 22;
/// Greatest number of elements of all tables that operators compute one by one when compiling.
const TABLE_TOTAL: u64 = 1 << 22;
/// Bytes that constants may take which are made when compiling, beyond some copies of the model's own.
const MADE_TOTAL: u64 = 1 << 28;
/// Copies of the model's own constants in other layouts, on average.
const COPIES: u64 = 4;
/// Greatest number of instructions: operators with many steps become as many.
const MOST_INSTRUCTIONS: u64 = 1 << 16;
/// Nodes that the bodies of control operators may become, iterations counted.
const UNROLLED_LIMIT: u32 = 1 << 16;
/// About the bytes that these nodes' names and attributes may have.
const UNROLLED_BYTES: u64 = 1 << 28;

/// What has been taken so far.
#[derive(Default)]
pub(super) struct Budget {
    folded: u64,
    tables: u64,
    own: u64,
    made: u64,
    instructions: u64,
    unrolled: u32,
    unrolled_bytes: u64,
}

impl Budget {
    /// Counts bytes of the model itself.
    pub(super) fn own(&mut self, bytes: u64) {
        self.own = self.own.saturating_add(bytes);
    }

    /// Counts bytes of a constant that was made.
    pub(super) fn made(&mut self, bytes: u64) {
        self.made = self.made.saturating_add(bytes);
    }

    /// Counts an instruction.
    pub(super) fn instruction(&mut self) {
        self.instructions += 1;
    }

    /// Whether an instruction of that many elements, reduced ones counted, is computed when compiling; counts it then.
    pub(super) fn fold(&mut self, work: u64) -> bool {
        let folded = self.folded.saturating_add(work);
        let affordable = work <= FOLD_LIMIT && folded <= FOLD_TOTAL;
        if affordable {
            self.folded = folded;
        }
        affordable
    }

    /// Counts elements of a table that are computed one by one when compiling.
    pub(super) fn table(&mut self, elements: u64) -> Lowering<()> {
        self.tables = self.tables.saturating_add(elements);
        if self.tables > TABLE_TOTAL {
            return Err(format!("more than {TABLE_TOTAL} elements of tables would have to be computed when compiling"));
        }
        Ok(())
    }

    /// What all nodes so far have become fits the machine; `bytes` are those of the last one's attributes.
    pub(super) fn within_limits(&mut self, bytes: u64) -> Lowering<()> {
        self.own(bytes);
        if self.made > MADE_TOTAL.saturating_add(COPIES.saturating_mul(self.own)) {
            return Err(format!("the constants made when compiling take {} bytes with this node's", self.made));
        }
        if self.instructions > MOST_INSTRUCTIONS {
            return Err(format!("the model becomes more than {MOST_INSTRUCTIONS} instructions with this node"));
        }
        Ok(())
    }

    /// Counts a node of a body whose name and attributes have that many bytes, or an iteration.
    pub(super) fn unroll(&mut self, bytes: u64) -> Lowering<()> {
        self.unrolled += 1;
        self.unrolled_bytes = self.unrolled_bytes.saturating_add(bytes);
        if self.unrolled > UNROLLED_LIMIT || self.unrolled_bytes > UNROLLED_BYTES {
            return Err(format!("its iterations become more than {UNROLLED_LIMIT} nodes or {UNROLLED_BYTES} bytes"));
        }
        Ok(())
    }
}
