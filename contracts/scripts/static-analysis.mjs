// forge lint and slither over src/. Every finding is answered in docs/static-analysis.md by its check; docs/static-analysis.json has how
// many there are of each in each file, so that a new one is seen. --write writes it. Needs `npm ci` and Python 3 with venv.
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const SNAPSHOT = join(root, "../docs/static-analysis.json");
const ANSWERS = join(root, "../docs/static-analysis.md");
const SLITHER = "slither-analyzer==0.11.6";
const PYTHON = join(root, "node_modules/.slither");

function run(program, args, options = {}) {
    const done = spawnSync(program, args, { encoding: "utf8", maxBuffer: 1 << 30, ...options });
    if (done.error) throw new Error(`${program} does not run: ${done.error.message}`);
    return done;
}

function lint() {
    const arch = process.arch === "arm64" ? "arm64" : "amd64";
    const forge = join(root, `node_modules/@foundry-rs/forge-${process.platform}-${arch}/bin/forge`);
    // Places of its own: what it compiles has no code, and forge's tests would take it as it is.
    const scratch = mkdtempSync(join(tmpdir(), "rebut-lint-"));
    const env = { ...process.env, FOUNDRY_OUT: join(scratch, "out"), FOUNDRY_CACHE_PATH: join(scratch, "cache") };
    const done = run(forge, ["lint", "--json", "src"], { cwd: root, env });
    rmSync(scratch, { recursive: true, force: true });
    const findings = done.stderr.split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
    if (findings.length === 0) throw new Error(`forge lint says nothing: ${done.stderr}`);
    const lints = findings.filter((finding) => finding.code && finding.spans.length > 0);
    return lints.map((finding) => ({ check: `forge ${finding.code.code}`, file: finding.spans[0].file_name }));
}

/** In a folder without foundry.toml, so that slither asks the compiler and not forge. */
function slither() {
    if (!existsSync(join(PYTHON, "bin/slither"))) {
        execFileSync("python3", ["-m", "venv", PYTHON], { stdio: "inherit" });
        execFileSync(join(PYTHON, "bin/pip"), ["install", "--quiet", SLITHER], { stdio: "inherit" });
    }
    const scratch = mkdtempSync(join(tmpdir(), "rebut-slither-"));
    try {
        cpSync(join(root, "src"), join(scratch, "src"), { recursive: true });
        const files = readdirSync(join(scratch, "src"), { recursive: true }).filter((file) => file.endsWith(".sol")).sort();
        const content = (file) => ({ content: readFileSync(join(scratch, "src", file), "utf8") });
        const sources = Object.fromEntries(files.map((file) => [`src/${file}`, content(file)]));
        const settings = { evmVersion: "osaka", optimizer: { enabled: true }, outputSelection: { "*": { "*": ["abi"] } } };
        writeFileSync(join(scratch, "input.json"), JSON.stringify({ language: "Solidity", sources, settings }));
        const args = ["input.json", "--compile-force-framework", "Solc-json", "--solc", join(root, "tools/solc-ast")];
        const done = run(join(PYTHON, "bin/slither"), [...args, "--json", "out.json"], { cwd: scratch });
        if (!existsSync(join(scratch, "out.json"))) throw new Error(`slither did not end well: ${done.stderr.slice(-2000)}`);
        const out = JSON.parse(readFileSync(join(scratch, "out.json"), "utf8"));
        if (!out.success) throw new Error(`slither did not end well: ${out.error}`);
        return out.results.detectors.map((finding) => ({
            check: `slither ${finding.check}`,
            file: finding.elements[0]?.source_mapping?.filename_relative ?? "src",
        }));
    } finally {
        rmSync(scratch, { recursive: true, force: true });
    }
}

const counts = {};
for (const { check, file } of [...lint(), ...slither()]) {
    counts[check] ??= {};
    counts[check][file] = (counts[check][file] ?? 0) + 1;
}
const sorted = (object) => Object.fromEntries(Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1)));
const text = `${JSON.stringify(sorted(Object.fromEntries(Object.entries(counts).map(([k, v]) => [k, sorted(v)]))), null, 2)}\n`;
if (process.argv.includes("--write")) writeFileSync(SNAPSHOT, text);
const answers = readFileSync(ANSWERS, "utf8");
const unanswered = Object.keys(counts).filter((check) => !answers.includes(`\`${check}\``));
if (unanswered.length > 0) throw new Error(`docs/static-analysis.md has no answer to ${unanswered.join(", ")}`);
if (text !== readFileSync(SNAPSHOT, "utf8")) {
    throw new Error("findings changed: look at them, then `node scripts/static-analysis.mjs --write` (in contracts/)");
}
console.log(`${Object.values(counts).flatMap(Object.values).reduce((a, b) => a + b, 0)} findings, all answered in docs/static-analysis.md`);
