//! What a block changed, backwards: enough to look at the state as it was after any earlier block.

use std::convert::Infallible;

use alloy::primitives::{Address, U256};
use revm::Database;
use revm::database::DbAccount;
use revm::state::{AccountInfo, EvmState};

use super::evm::Overlay;

/// The values that stood before, in the order in which they were overwritten.
#[derive(Clone, Debug, Default)]
pub(crate) struct Undo {
    accounts: Vec<(Address, Option<AccountInfo>)>,
    slots: Vec<(Address, U256, U256)>,
}

impl Undo {
    /// Call before `changes` are committed to `db`.
    pub(crate) fn record<DB: Database<Error = Infallible>>(&mut self, db: &mut DB, changes: &EvmState) {
        for (address, account) in changes.iter().filter(|(_, account)| account.is_touched()) {
            let Ok(before) = db.basic(*address);
            self.accounts.push((*address, before));
            let changed = account.storage.iter().filter(|(_, slot)| slot.is_changed());
            self.slots.extend(changed.map(|(key, slot)| (*address, *key, slot.original_value())));
        }
    }

    pub(crate) fn apply(&self, view: &mut Overlay<'_>) {
        for (address, before) in self.accounts.iter().rev() {
            match before {
                Some(info) => view.insert_account_info(*address, info.clone()),
                None => {
                    view.cache.accounts.insert(*address, DbAccount::new_not_existing());
                }
            }
        }
        for (address, key, before) in self.slots.iter().rev() {
            let Ok(()) = view.insert_account_storage(*address, *key, *before);
        }
    }
}
