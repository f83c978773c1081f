// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Classifier} from "./Classifier.sol";
import {IRequests} from "../interfaces/IRequests.sol";
import {RebutRequester} from "../RebutRequester.sol";
import {RequestPhase, RequestStatus, RequestTerms} from "../interfaces/RequestTypes.sol";
import {TensorData} from "../interfaces/RebutTypes.sol";

/// @title An example of a consumer that asks: pays for the class of an input and has it brought by the callback
contract DigitRequester is RebutRequester {
    /// @notice What the callback may use: a thousand classes and two storage slots.
    uint32 public constant CALLBACK_GAS = 600_000;

    /// @notice The program that is asked for: keccak256 of its header.
    bytes32 public immutable PROGRAM_ID;
    /// @notice Who made the program and gets its share; zero if nobody does.
    address public immutable PUBLISHER;
    /// @notice The publisher's share of each fee in 1/10,000.
    uint16 public immutable PUBLISHER_BPS;

    /// @notice How many requests have been made.
    uint64 public asked;
    /// @notice Who asked; zero once its fee was reclaimed.
    mapping(bytes32 requestId => address) public asker;
    /// @notice Per request: 1 + its label; 0 if it has not been answered.
    mapping(bytes32 requestId => uint256) public labelPlusOne;

    /// @notice The class of an input was asked for.
    event Asked(bytes32 indexed requestId, address indexed account);
    /// @notice A request was answered by a final claim.
    event Answered(bytes32 indexed requestId, bytes32 indexed claimId, uint256 label);

    /// @notice A refunded fee went back to who asked, wei.
    event Reclaimed(bytes32 indexed requestId, address indexed account, uint256 fee);

    /// @notice The request was not refunded, or its fee was reclaimed already.
    error NothingToReclaim(bytes32 requestId);
    /// @notice The account refused the payment, wei.
    error PaymentRefused(address account, uint256 amount);
    /// @notice The header is another program's.
    error WrongProgram(bytes32 given, bytes32 expected);

    constructor(IRequests requests, bytes32 programId, address publisher, uint16 publisherBps)
        RebutRequester(requests)
    {
        PROGRAM_ID = programId;
        PUBLISHER = publisher;
        PUBLISHER_BPS = publisherBps;
    }

    /// @notice Asks for the class of an input. The value sent is the fee; if nobody answers, `reclaim` returns it.
    /// @param header The program's header.
    /// @param inputs The program's inputs as bytes.
    /// @param deadline The last second for executors to commit to an answer.
    function ask(bytes calldata header, TensorData[] calldata inputs, uint40 deadline)
        external
        payable
        returns (bytes32 requestId)
    {
        if (keccak256(header) != PROGRAM_ID) revert WrongProgram(keccak256(header), PROGRAM_ID);
        RequestTerms memory terms;
        terms.deadline = deadline;
        terms.publisher = PUBLISHER;
        terms.publisherBps = PUBLISHER_BPS;
        terms.callbackGas = CALLBACK_GAS;
        terms.nonce = asked++;
        requestId = _request(terms, header, inputs, msg.value);
        asker[requestId] = msg.sender;
        emit Asked(requestId, msg.sender);
    }

    /// @notice Returns the fee of a refunded request to who asked. Anyone.
    function reclaim(bytes32 requestId) external {
        address account = asker[requestId];
        RequestStatus memory s = REQUESTS.status(requestId);
        if (account == address(0) || s.phase != RequestPhase.Refunded) revert NothingToReclaim(requestId);
        delete asker[requestId];
        if (REQUESTS.credit(address(this)) > 0) REQUESTS.withdraw(address(this));
        emit Reclaimed(requestId, account, s.fee);
        (bool paid,) = account.call{value: s.fee}("");
        if (!paid) revert PaymentRefused(account, s.fee);
    }

    function _onResult(bytes32 requestId, bytes32 claimId, uint256, uint256 dtype, bool, bytes calldata output)
        internal
        override
    {
        uint256 label = Classifier.label(dtype, output);
        labelPlusOne[requestId] = label + 1;
        emit Answered(requestId, claimId, label);
    }
}
