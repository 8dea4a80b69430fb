// Runs every Rust test, several test programs at once: walls and servers wait most of the time. What a program says is
// shown when it ends. What failed beside others is run once more by itself: what it promises within a time it promises on a machine that isn't
// overloaded. Which those are is told at the end. Ends with 1 if something failed by itself.
//
//   node scripts/rust-tests.mjs
import { spawn } from 'node:child_process'
import { setPriority } from 'node:os'
import { dirname, resolve } from 'node:path'

// The longest first, by what they took: one that begins last would be waited for alone.
const LONGEST = 'looking_back drill kiosk glass wall killed attacks probe nodes supervisor ably faults span cage screens tokens'.split(' ')

/** What only calculates, the longest first. It has what the others leave: a wall or a server that has to answer in time must not wait for a simulated one. */
const CALCULATE = 'schedules dialects whole simulation healthy storm regressions watchfloor_board watchfloor_feed'.split(' ')
const LEFT_OVER = 19
/** A server has what windows leave: one of those that is late is seen to be. */
const BEHIND_WINDOWS = 10

/** Its programs have windows, which are drawn by the processor here: beside each other they are late for no reason of their own. */
const WINDOWS = 'tests'

/** Makes a package of the programs, for which the bundler writes into them: nobody may be running one. */
const ALONE = 'package'

/** What a program writes, both streams in their order, and how it ended. */
function run(program, args, options) {
    return new Promise((done, fail) => {
        const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
        if (options.priority !== undefined && child.pid !== undefined) setPriority(child.pid, options.priority)
        const said = []
        child.stdout.on('data', (part) => said.push(part))
        child.stderr.on('data', (part) => said.push(part))
        child.on('error', fail)
        child.on('close', (code, signal) => done({ said: Buffer.concat(said).toString(), ended: signal ?? code }))
    })
}

/** The workspace's test programs, built, each with the folder of its package. */
async function programs() {
    const child = spawn('cargo', ['test', '--workspace', '--locked', '--no-run', '--message-format=json-render-diagnostics'], {
        stdio: ['ignore', 'pipe', 'inherit'],
    })
    const lines = []
    child.stdout.on('data', (part) => lines.push(part))
    const code = await new Promise((done) => child.on('close', done))
    if (code !== 0) process.exit(1)
    return Buffer.concat(lines)
        .toString()
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line))
        .filter((one) => one.reason === 'compiler-artifact' && one.profile.test && one.executable)
        .map((one) => ({ name: one.target.name, of: one.target.src_path, folder: dirname(one.manifest_path), program: one.executable }))
}

const rank = ({ name }) => (LONGEST.includes(name) ? LONGEST.indexOf(name) : LONGEST.length)
const left = (await programs()).sort((a, b) => rank(a) - rank(b))
const count = left.length
const failed = []

/** What failed beside others. */
const again = []

async function hand(queue, priority, is_alone = false) {
    for (let one = queue.shift(); one !== undefined; one = queue.shift()) {
        const begun = performance.now()
        const { said, ended } = await run(one.program, [], {
            cwd: one.folder,
            priority,
            // As cargo sets it for what it runs.
            env: { ...process.env, CARGO_MANIFEST_DIR: one.folder },
        })
        console.log(`     Running ${one.name} of ${one.of.slice(process.cwd().length + 1)} (${Math.round((performance.now() - begun) / 1000)} s)`)
        // Only what counts is to be counted.
        console.log(ended === 0 || is_alone ? said : said.replace(/^/gm, '| '))
        if (ended !== 0) (is_alone ? failed : again).push(one)
    }
}
await hand(left.filter(({ name }) => name === ALONE), 0, true)
const place = ({ name }) => CALCULATE.indexOf(name)
const calculate = left.filter((one) => place(one) >= 0).sort((a, b) => place(a) - place(b))
const others = left.filter((one) => one.name !== ALONE && place(one) < 0)
const has_windows = ({ folder }) => folder === resolve(WINDOWS)
const windows = others.filter(has_windows)
const servers = others.filter((one) => !has_windows(one))
await Promise.all([
    hand(windows),
    // The last windows, the shortest, stand beside each other: two of those are on time.
    hand(servers, BEHIND_WINDOWS).then(() => hand(windows)),
    hand(calculate, LEFT_OVER),
])

const beside_others = [...again]
await hand(again, 0, true)

const docs = await run('cargo', ['test', '--workspace', '--locked', '--doc'], {})
console.log(docs.said)
if (docs.ended !== 0) failed.push({ name: 'the examples in the documentation' })

console.log(`${count} test programs, ${failed.length} of them failed`)
for (const { name } of failed) console.log(`  ${name}: ended with a failure`)
const late = beside_others.filter((one) => !failed.includes(one))
if (late.length > 0) console.log(`${late.length} failed beside others and passed alone: ${late.map(({ name }) => name).join(', ')}`)
process.exitCode = failed.length === 0 ? 0 : 1
