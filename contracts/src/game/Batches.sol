// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Batch, Claim, Phases} from "./Records.sol";
import {ClaimData, ClaimPhase, Outcome} from "../interfaces/RebutTypes.sol";
import {Claims} from "./Claims.sol";
import {Header} from "../program/Header.sol";
import {IRebutClaims} from "../interfaces/IRebutClaims.sol";
import {Ids} from "./Ids.sol";
import {Merkle} from "../Merkle.sol";

/// @title Many claims in one transaction and one slot; an item that matters becomes a claim of its own
abstract contract Batches is Claims {
    using Header for Header.Parsed;

    /// @inheritdoc IRebutClaims
    function claimBatch(bytes calldata header, uint32 count, bytes calldata items)
        external
        payable
        returns (bytes32 batchId, bytes32 itemsRoot)
    {
        _reserve(count * uint256(EXECUTOR_BOND));
        (bytes32 programId, Header.Parsed memory h) = _newClaimOf(header);
        // INVARIANT: every item's claim has a nonce of its own, so no two items are one claim.
        if (count == 0 || count > Ids.MAXIMUM_ITEMS) revert WrongItemCount(count, Ids.MAXIMUM_ITEMS);
        itemsRoot = _itemsRoot(programId, h, count, items);
        batchId = Ids.batchId(address(this), msg.sender, programId, itemsRoot, count);
        Batch storage b = _batches[batchId];
        // INVARIANT: one bond an item, one batch.
        if (b.start != 0) revert ClaimExists(batchId);
        b.start = uint40(block.timestamp);
        b.count = count;
        // Whoever checks the batch, or defends it, has as many traces to make.
        b.extra = _extra(h, count);
        uint64 nonce = Ids.itemNonce(block.timestamp, count, 0);
        emit BatchClaimed(batchId, programId, msg.sender, itemsRoot, header, count, nonce, items);
    }

    /// @inheritdoc IRebutClaims
    function extract(ClaimData calldata claimData, bytes32 itemsRoot, uint32 count, bytes32[] calldata proof)
        external
        returns (bytes32 claimId)
    {
        bytes32 batchId;
        (claimId, batchId) = _requireItem(claimData, itemsRoot, count, proof);
        Batch storage b = _batches[batchId];
        if (b.start == 0) revert NoBatch(batchId);
        Claim storage c = _claims[claimId];
        // INVARIANT: an item's bond goes with it once.
        if (c.start != 0) revert ClaimExists(claimId);
        c.start = b.start;
        c.extra = b.extra;
        emit Extracted(claimId, batchId, uint32(Ids.itemIndex(claimData.nonce)));
        // INVARIANT: whoever's bond is back has a final claim, which nothing can touch.
        if (b.released) _end(claimId, Outcome.Final);
        else b.extracted += 1;
    }

    /// @inheritdoc IRebutClaims
    function finalizeBatch(address executor, bytes32 programId, bytes32 itemsRoot, uint32 count) external {
        bytes32 batchId = Ids.batchId(address(this), executor, programId, itemsRoot, count);
        Batch memory b = _batches[batchId];
        ClaimPhase phase = Phases.ofItem(b, _periods(b.extra), block.timestamp);
        // INVARIANT: each bond is released once, when no item can be challenged any more.
        if (phase != ClaimPhase.Final || b.released) revert WrongPhase(batchId, phase);
        _batches[batchId].released = true;
        emit BatchReleased(batchId, count - b.extracted);
        _credit(batchId, executor, (count - b.extracted) * uint256(EXECUTOR_BOND));
    }

    /// @inheritdoc IRebutClaims
    function itemPhase(ClaimData calldata claimData, bytes32 itemsRoot, uint32 count, bytes32[] calldata proof)
        external
        view
        returns (ClaimPhase)
    {
        (bytes32 claimId, bytes32 batchId) = _requireItem(claimData, itemsRoot, count, proof);
        Claim memory c = _claims[claimId];
        if (c.start != 0) return _phaseOf(c);
        Batch memory b = _batches[batchId];
        return Phases.ofItem(b, _periods(b.extra), block.timestamp);
    }

    function _requireItem(ClaimData calldata claimData, bytes32 itemsRoot, uint32 count, bytes32[] calldata proof)
        private
        view
        returns (bytes32 claimId, bytes32 batchId)
    {
        claimId = Ids.claimId(address(this), claimData);
        batchId = Ids.batchId(address(this), claimData.executor, keccak256(claimData.header), itemsRoot, count);
        bytes32 root = Merkle.proofRoot(claimId, Ids.itemIndex(claimData.nonce), Merkle.depthOf(count), proof);
        if (root != itemsRoot) revert WrongRoot(root, itemsRoot);
    }

    /// @dev The root over the items' claim ids. An item is its inputs' and then its outputs' bytes.
    function _itemsRoot(bytes32 programId, Header.Parsed memory h, uint256 count, bytes calldata items)
        private
        view
        returns (bytes32)
    {
        uint256 size = 0;
        uint256[] memory sizes = new uint256[](h.tensors.length);
        for (uint256 i = 0; i < sizes.length; ++i) {
            sizes[i] = h.byteSize(i);
            size += sizes[i];
        }
        if (items.length != size * count) revert WrongItemsSize(items.length, size * count);
        bytes32[] memory ids = new bytes32[](count);
        bytes32[] memory roots = new bytes32[](h.tensors.length);
        uint256 start = 0;
        for (uint256 i = 0; i < count; ++i) {
            uint256 free;
            assembly ("memory-safe") {
                free := mload(0x40)
            }
            for (uint256 t = 0; t < roots.length; ++t) {
                uint256 next = start + sizes[t];
                roots[t] = Merkle.tensorRoot(items[start:next]);
                start = next;
            }
            ids[i] = Ids.claimId(
                address(this),
                msg.sender,
                programId,
                _hash(roots, 0, h.inputs),
                _hash(roots, h.inputs, h.outputs),
                Ids.itemNonce(block.timestamp, count, i)
            );
            // What an item needed in memory serves the next one.
            assembly ("memory-safe") {
                mstore(0x40, free)
            }
        }
        return Merkle.rootOf(ids);
    }

    /// @dev keccak256 of `count` words from `first` on.
    function _hash(bytes32[] memory words, uint256 first, uint256 count) private pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            hash := keccak256(add(add(words, 0x20), shl(5, first)), shl(5, count))
        }
    }
}
