// Adds up what the test runners said of themselves. Ends with 1 if one of them is missing or something failed.
import { readFileSync } from 'node:fs'

// Colours are for people.
const text = readFileSync(process.argv[2], 'utf8').replace(/\u001b\[[0-9;]*m/g, '')
const sum = (pattern) => [...text.matchAll(pattern)].reduce((total, found) => total + Number(found[1]), 0)

const runners = {
  'Rust': [/^test result: \w+\. (\d+) passed/gm, /^test result: .*?(\d+) failed/gm],
  'page, unit': [/^\s*Tests .*?(\d+) passed/gm, /^\s*Tests .*?(\d+) failed/gm],
  'page, browser': [/^page: (\d+) passed/gm, /^page: .*?(\d+) failed/gm],
  // What can't be installed isn't run, and is no failure.
  'servers': [/^(\d+) passed, \d+ failed$/gm, /^\d+ passed, (\d+) failed$/gm],
}
let [passed, failed, missing] = [0, 0, 0]
for (const [name, [pass, fail]] of Object.entries(runners)) {
  const counts = [sum(pass), sum(fail)]
  console.log(`${name.padEnd(14)} ${counts[0]} passed, ${counts[1]} failed`)
  passed += counts[0]
  failed += counts[1]
  missing += counts[0] === 0 && name !== 'servers'
}
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed || missing ? 1 : 0)
