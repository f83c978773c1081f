// Compiles the deployable contracts and writes artifacts/<Name>.json and artifacts/manifest.json.
// With --check nothing is written: every file must already be what a build gives, byte for byte.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import solc from "solc";

const CONTRACTS = [
    "src/Rebut.sol:Rebut",
    "src/Game.sol:Game",
    "src/Adjudicator.sol:Adjudicator",
    "src/Elementary.sol:Elementary",
    "src/requests/Requests.sol:Requests",
    "src/examples/DigitConsumer.sol:DigitConsumer",
    "src/examples/DigitRequester.sol:DigitRequester",
    "src/examples/ProvisionalConsumer.sol:ProvisionalConsumer",
    "src/harness/ArithHarness.sol:ArithHarness",
    "src/harness/ElementaryHarness.sol:ElementaryHarness",
];
// Rebut answers the calls of Game too: it is used through this interface.
const INTERFACES = { Rebut: "src/interfaces/IRebut.sol:IRebut" };
const CODE_LIMIT = 24_576;

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const out = join(root, "artifacts");

/** The Solidity files below a folder, as paths relative to `contracts/`, sorted. */
function sources(folder) {
    return readdirSync(join(root, folder), { withFileTypes: true })
        .flatMap((entry) => {
            const path = posix.join(folder, entry.name);
            return entry.isDirectory() ? sources(path) : path.endsWith(".sol") ? [path] : [];
        })
        .sort();
}

/** One setting of foundry.toml, so that forge and this script cannot disagree. */
function setting(name) {
    const line = readFileSync(join(root, "foundry.toml"), "utf8").match(new RegExp(`^${name}\\s*=\\s*(.+)$`, "m"));
    if (!line) throw new Error(`foundry.toml has no ${name}`);
    return JSON.parse(line[1].replace(/(?<=\d)_(?=\d)/g, ""));
}

const settings = {
    evmVersion: setting("evm_version"),
    viaIR: setting("via_ir"),
    optimizer: { enabled: setting("optimizer"), runs: setting("optimizer_runs") },
    metadata: { bytecodeHash: setting("bytecode_hash"), appendCBOR: setting("cbor_metadata") },
};

/** One contract with its imports and nothing else, so that unrelated files cannot change its bytes. */
function compile(path, contractName) {
    const contents = (file) => readFileSync(join(root, file), "utf8");
    const input = {
        language: "Solidity",
        sources: { [path]: { content: contents(path) } },
        settings: {
            ...settings,
            outputSelection: { [path]: { [contractName]: ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"] } },
        },
    };
    const callbacks = {
        import: (file) => {
            try {
                return { contents: contents(file) };
            } catch {
                return { error: `${file} not found` };
            }
        },
    };
    const output = JSON.parse(solc.compile(JSON.stringify(input), callbacks));
    const errors = (output.errors ?? []).filter((entry) => entry.severity === "error");
    if (errors.length > 0) throw new Error(errors.map((entry) => entry.formattedMessage).join("\n"));
    const compiled = output.contracts[path]?.[contractName];
    if (!compiled) throw new Error(`${path} has no ${contractName}`);
    return compiled;
}

/** The ABI of the interface through which a contract is used, if that is not its own. */
function interfaceOf(contractName) {
    return INTERFACES[contractName] ? compile(...INTERFACES[contractName].split(":")).abi : [];
}

/** Both ABIs' entries, each once. */
function merged(own, more) {
    const key = ({ type, name, inputs }) => JSON.stringify([type, name, inputs?.map((input) => input.type)]);
    const known = new Set(own.map(key));
    return [...own, ...more.filter((entry) => !known.has(key(entry)))];
}

const json = (value) => `${JSON.stringify(value, null, 2)}\n`;
const sha256 = (path) => createHash("sha256").update(readFileSync(join(root, path))).digest("hex");

/** File name to content, for everything in artifacts/. */
function build() {
    const artifacts = new Map();
    for (const contract of CONTRACTS) {
        const [path, contractName] = contract.split(":");
        const compiled = compile(path, contractName);
        const { bytecode, deployedBytecode } = compiled.evm;
        const size = deployedBytecode.object.length / 2;
        if (size > CODE_LIMIT) throw new Error(`${contractName} has ${size} bytes of code, over ${CODE_LIMIT}`);
        console.log(`${contractName}: ${size} bytes`);
        artifacts.set(
            `${contractName}.json`,
            json({
                contractName,
                abi: merged(compiled.abi, interfaceOf(contractName)),
                bytecode: `0x${bytecode.object}`,
                deployedBytecode: `0x${deployedBytecode.object}`,
            }),
        );
    }
    artifacts.set(
        "manifest.json",
        json({
            compiler: solc.version(),
            settings,
            sources: Object.fromEntries(sources("src").map((path) => [path, sha256(path)])),
        }),
    );
    return artifacts;
}

function read(name) {
    try {
        return readFileSync(join(out, name), "utf8");
    } catch {
        return undefined;
    }
}

const built = build();
mkdirSync(out, { recursive: true });
const stray = readdirSync(out).filter((name) => name.endsWith(".json") && !built.has(name));
if (process.argv.includes("--check")) {
    const stale = [...built.keys()].filter((name) => read(name) !== built.get(name)).concat(stray);
    if (stale.length > 0) {
        console.error(`not what the sources compile to: ${stale.join(", ")}`);
        process.exitCode = 1;
    }
} else {
    for (const name of stray) rmSync(join(out, name));
    for (const [name, content] of built) writeFileSync(join(out, name), content);
}
