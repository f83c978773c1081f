// Packs the npm package, installs it into a project of its own outside the repository, and does there what README.md tells a
// Foundry user to do: its files, its test; then its deployment, on a node. Needs `npm ci` and the committed artifacts.
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const scratch = mkdtempSync(join(tmpdir(), "rebut-package-"));
const PACKAGE = "node_modules/@rebut/contracts/";
// The first account of anvil's well-known test mnemonic.
const KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

/** Foundry's programs by their real path: the launchers of npm end with 0 whatever happens. */
function foundry(name) {
    const arch = process.arch === "arm64" ? "arm64" : "amd64";
    return join(root, `node_modules/@foundry-rs/${name}-${process.platform}-${arch}/bin/${name}`);
}

function run(program, args, options = {}) {
    return execFileSync(program, args, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"], ...options });
}

function fail(message) {
    throw new Error(message);
}

/** Everything that belongs into the package, and nothing else. */
function checkFiles(files) {
    const allowed = [
        /^src\/(?!harness\/).+\.sol$/,
        /^script\/.+\.(sol|json)$/,
        /^artifacts\/(?!ArithHarness|ElementaryHarness)\w+\.json$/,
        /^(README\.md|LICENSE-MIT|LICENSE-APACHE|package\.json)$/,
    ];
    const strange = files.filter((file) => !allowed.some((pattern) => pattern.test(file)));
    if (strange.length > 0) fail(`the package has files that do not belong into it: ${strange.join(", ")}`);
    const needed = ["src/Rebut.sol", "src/requests/Requests.sol", "src/interfaces/IRebut.sol", "src/interfaces/IRequests.sol"];
    needed.push("src/RebutResult.sol", "src/examples/DigitConsumer.sol", "script/Deploy.s.sol", "README.md");
    needed.push(...["Elementary", "Adjudicator", "Rebut", "Requests"].map((name) => `artifacts/${name}.json`));
    needed.push("LICENSE-MIT", "LICENSE-APACHE", "script/deployment.schema.json", "script/parameters.example.json");
    const missing = needed.filter((file) => !files.includes(file));
    if (missing.length > 0) fail(`the package lacks ${missing.join(", ")}`);
    for (const licence of ["LICENSE-MIT", "LICENSE-APACHE"]) {
        const same = readFileSync(join(root, licence)).equals(readFileSync(join(root, "..", licence)));
        if (!same) fail(`contracts/${licence} is not the repository's`);
    }
}

/** The files that README.md shows: a line with a path and a colon, then a block. */
function readmeFiles() {
    const text = readFileSync(join(scratch, PACKAGE, "README.md"), "utf8");
    return [...text.matchAll(/^`([^`\n]+)`:\n\n```\w+\n([^]*?)^```$/gm)].map(([, path, content]) => ({ path, content }));
}

/** The part of JSON Schema that script/deployment.schema.json uses; any other keyword is an error. */
function validate(value, schema, all, at = "$") {
    if (schema.$ref) validate(value, all.$defs[schema.$ref.replace("#/$defs/", "")], all, at);
    const checks = {
        const: (expected) => value === expected,
        type: (type) =>
            type === "integer"
                ? Number.isInteger(value)
                : type === "object"
                  ? typeof value === "object" && value !== null && !Array.isArray(value)
                  : typeof value === type,
        minimum: (least) => value >= least,
        pattern: (pattern) => new RegExp(pattern).test(value),
        required: (names) => names.every((name) => name in value),
        additionalProperties: () => Object.keys(value).every((name) => name in schema.properties),
        properties: (properties) => {
            for (const [name, part] of Object.entries(properties)) {
                if (name in value) validate(value[name], part, all, `${at}.${name}`);
            }
            return true;
        },
    };
    for (const [keyword, argument] of Object.entries(schema)) {
        if (["$schema", "$defs", "$ref", "title", "description"].includes(keyword)) continue;
        if (!checks[keyword]) fail(`script/deployment.schema.json: ${keyword} is not checked here`);
        if (!checks[keyword](argument)) fail(`${at} does not fit the schema: ${keyword}`);
    }
}

async function rpc(url, method, params = []) {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
    const response = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body });
    return (await response.json()).result;
}

/** A port that is free now. */
function freePort() {
    return new Promise((resolve, reject) => {
        const server = createServer().on("error", reject);
        server.listen(0, "127.0.0.1", () => {
            const { port } = server.address();
            server.close(() => resolve(port));
        });
    });
}

/** Runs `action` with the address of a node that lives as long. */
async function withNode(action) {
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const args = ["--port", String(port), "--hardfork", "osaka", "--silent"];
    const node = spawn(foundry("anvil"), args, { stdio: "ignore" });
    try {
        for (let attempt = 0; ; ++attempt) {
            if (await rpc(url, "eth_chainId").catch(() => undefined)) break;
            if (attempt === 200 || node.exitCode !== null) fail("anvil does not answer");
            await new Promise((resolve) => setTimeout(resolve, 50));
        }
        await action(url);
    } finally {
        node.kill();
    }
}

/** `forge script` on a node: everything has code, and the addresses' file fits its schema, as does the example. */
async function checkDeployment(env) {
    const schema = JSON.parse(readFileSync(join(scratch, PACKAGE, "script/deployment.schema.json"), "utf8"));
    validate(JSON.parse(readFileSync(join(scratch, PACKAGE, "script/deployment.example.json"), "utf8")), schema, schema);
    await withNode(async (url) => {
        const script = `${PACKAGE}script/Deploy.s.sol`;
        const args = ["script", script, "--rpc-url", url, "--broadcast", "--private-key", KEY];
        run(foundry("forge"), args, { cwd: scratch, env: { ...env, REBUT_PACKAGE: PACKAGE } });
        const deployed = JSON.parse(readFileSync(join(scratch, "deployment.json"), "utf8"));
        validate(deployed, schema, schema);
        if (deployed.chainId !== Number(await rpc(url, "eth_chainId"))) fail("deployment.json names another chain");
        for (const [name, address] of Object.entries(deployed.contracts)) {
            const code = await rpc(url, "eth_getCode", [address, "latest"]);
            if (!code || code === "0x") fail(`${name} was not deployed at ${address}`);
        }
        console.log(`deployed: ${JSON.stringify(deployed.contracts)}`);
    });
}

try {
    const [packed] = JSON.parse(run("npm", ["pack", "--json", "--pack-destination", scratch], { cwd: root }));
    checkFiles(packed.files.map((file) => file.path));
    console.log(`${packed.filename}: ${packed.files.length} files, ${packed.size} bytes`);

    run("npm", ["init", "--yes"], { cwd: scratch });
    run("npm", ["install", "--no-audit", "--no-fund", `./${packed.filename}`], { cwd: scratch });
    const files = readmeFiles();
    if (files.length !== 3) fail(`README.md shows ${files.length} files, not 3`);
    for (const { path, content } of files) {
        mkdirSync(join(scratch, dirname(path)), { recursive: true });
        writeFileSync(join(scratch, path), content);
    }
    // The compiler that npm brought: nothing is downloaded.
    const env = { ...process.env, FOUNDRY_SOLC: join(root, "tools/solc"), FOUNDRY_OFFLINE: "true" };
    const result = run(foundry("forge"), ["test"], { cwd: scratch, env });
    if (!/1 passed; 0 failed/.test(result)) fail(`README.md's test did not run:\n${result}`);
    console.log("README.md's test passes");
    await checkDeployment(env);
} finally {
    rmSync(scratch, { recursive: true, force: true });
}
