// Puts one deliberate defect after the other into a copy of the sources and sees which check catches it.
//   node scripts/mutants.mjs --check         whether every defect still has its place in the sources
//   node scripts/mutants.mjs [--every N] [--from NUMBER] [--to NUMBER] [--only TEXT,TEXT] [--crates NAME,NAME]
// Prints a table as it goes, and ends in a line `N passed, N failed`: a defect that nothing catches is a failure.
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const TREE = 'target/mutants/tree'
/** A defect may make something wait for ever, or grow. */
const TIMEOUT_MS = 480_000
const MEMORY_KIB_MAX = 8 << 20
/** How `timeout` ends when it has killed. */
const KILLED = 137
/** What is run for a defect of each crate, quickest first: the first that fails has caught it. */
const SIMULATION = ['-p', 'watchfloor-simulation', ...['regressions', 'schedules', 'healthy', 'storm'].flatMap((test) => ['--test', test])]
const STAGES = {
  feed: [
    ['-p', 'watchfloor-feed', '--lib'],
    ['-p', 'watchfloor-feed', '--test', 'simulation'],
    SIMULATION,
  ],
  board: [
    ['-p', 'watchfloor-board', '--lib'],
    SIMULATION,
  ],
  engine: [
    ['-p', 'watchfloor-engine', '--lib'],
    ['-p', 'watchfloor-engine', '--test', 'wall'],
  ],
}

const asked = (name) => (process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : null)
const all = JSON.parse(readFileSync('tests/mutants.json', 'utf8'))
const only = asked('--only')?.split(',') ?? null
/** The engine is slow to build, so a few of them are had quickest without its own. */
const crates_asked = asked('--crates')?.split(',') ?? Object.keys(STAGES)
const every = Number(asked('--every') ?? 1)
/** To go on where a run was broken off. */
const from = Number(asked('--from') ?? 1)
const to = Number(asked('--to') ?? all.length)
const mutants = all
  .filter((one, at) => (only === null || only.some((text) => one.name.includes(text))) && at + 1 >= from && at < to && crates_asked.includes(one.crate))
  .filter((_, at) => at % every === 0)

/** A file with the defect in place, from the working tree or from a copy of it. */
function mutated({ name, file, find, replace }, under = '.') {
  const text = readFileSync(join(under, file), 'utf8')
  const places = text.split(find).length - 1
  if (places !== 1) {
    console.error(`error: ${name}: ${file} has its place ${places} times: expected once. Found it again? Then mend tests/mutants.json`)
    process.exit(1)
  }
  return text.replace(find, () => replace)
}

const places = all.map((one) => mutated(one))
if (places.length < 25) {
  console.error(`error: ${places.length} defects: at least 25 are wanted`)
  process.exit(1)
}
if (process.argv.includes('--check')) {
  console.log(`${places.length} defects, each with its place`)
  process.exit(0)
}

/**
 * A copy of what git knows, as it stands in the working tree. A file that says the same keeps its time, and with it what was
 * built of it; one that doesn't is as new as the copy, whatever was built of it before.
 */
function copy() {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { encoding: 'utf8' })
  const needed = /^(Cargo\.|src-tauri\/|tests\/|docs\/|examples\/|rustfmt)/
  for (const file of listed.split('\0').filter((file) => needed.test(file) && existsSync(file))) {
    const to = join(TREE, file)
    const text = readFileSync(file)
    if (existsSync(to) && readFileSync(to).equals(text)) continue
    mkdirSync(dirname(to), { recursive: true })
    writeFileSync(to, text)
  }
}

/** With all that it starts, within the limits: `timeout` kills the whole group. */
const cargo = (args, seconds = TIMEOUT_MS / 1000) =>
  spawnSync('sh', ['-c', `ulimit -v ${MEMORY_KIB_MAX}; exec timeout --signal=KILL "$0" cargo test --quiet --locked "$@"`, String(seconds), ...args], {
    cwd: TREE,
    encoding: 'utf8',
    maxBuffer: 256 << 20,
    // A share of the seeds: what they find, more of them find too. One line differs from build to build.
    env: { ...process.env, CARGO_TARGET_DIR: '../target', CARGO_INCREMENTAL: '1', WATCHFLOOR_SEEDS: '60', WATCHFLOOR_SCHEDULES: '300', RUST_BACKTRACE: '0' },
  })

/** The tests that failed, from what they printed. */
function failures(output) {
  const named = [...output.matchAll(/^---- (\S+) stdout ----$/gm)].map((found) => found[1])
  return [...new Set(named)]
}

function caught_by(crate) {
  for (const stage of STAGES[crate]) {
    const run = cargo(stage)
    const output = run.stdout + run.stderr
    if (run.status === KILLED || run.signal !== null) return `${stage[1]}: nothing ended within ${TIMEOUT_MS / 1000} s`
    if (run.status === 0) continue
    const failed = failures(output)
    if (failed.length === 0) return output.includes('could not compile') ? { broken: output } : `${stage[1]}: ${output.trim().split('\n').at(-1)}`
    return failed.length > 2 ? `${failed.slice(0, 2).join(', ')} and ${failed.length - 2} more` : failed.join(', ')
  }
  return null
}

copy()
const started = Date.now()
console.log('The sources as they are must pass first.')
// Built without a limit: from a cold cache it takes minutes. Each as it is run: packages that are built together have other features.
for (const stage of new Set(mutants.flatMap(({ crate }) => STAGES[crate]))) {
  const built = cargo([...stage, '--no-run'], 0)
  if (built.status !== 0) {
    console.error(`error: it does not build\n${built.stderr}`)
    process.exit(1)
  }
}
for (const crate of new Set(mutants.map(({ crate }) => crate))) {
  const caught = caught_by(crate)
  if (caught !== null) {
    console.error(`error: ${crate}: ${caught.broken ?? caught}`)
    process.exit(1)
  }
}
let [passed, failed] = [0, 0]
console.log(`| ${'defect'.padEnd(64)} | guards | seconds | caught by |`)
console.log(`| ${'-'.repeat(64)} | ------ | ------- | --------- |`)
for (const mutant of mutants) {
  const begun = Date.now()
  const file = join(TREE, mutant.file)
  const whole = readFileSync(file)
  writeFileSync(file, mutated(mutant, TREE))
  const caught = caught_by(mutant.crate)
  writeFileSync(file, whole)
  // One that is no program any more proves nothing; those after it do.
  const is_built = caught?.broken === undefined
  if (!is_built) console.error(`error: ${mutant.name}: it does not compile\n${caught.broken}`)
  const is_caught = is_built && caught !== null
  const by = is_built ? (caught ?? 'NOTHING') : 'NOT BUILT'
  const seconds = Math.round((Date.now() - begun) / 1000)
  console.log(`| ${mutant.name.padEnd(64)} | ${mutant.invariant.padEnd(6)} | ${String(seconds).padStart(7)} | ${by} |`)
  passed += is_caught ? 1 : 0
  failed += is_caught ? 0 : 1
}
console.log(`${mutants.length} defects in ${Math.round((Date.now() - started) / 1000)} s`)
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)
