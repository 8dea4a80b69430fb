#!/usr/bin/env node
/**
 * Writes what others ask to be told of their code that is in the programs and in the page: names, licences, and each licence's text once.
 *
 *   scripts/notices.mjs FILE
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const [to] = process.argv.slice(2)
if (to === undefined) throw new Error('scripts/notices.mjs FILE: where to write them')

/** @typedef {{ name: string, version: string, licence: string, texts: string[] }} Part */

/**
 * The texts that lie in a package's folder.
 *
 * @param {string} folder
 */
function texts_in(folder) {
  const names = readdirSync(folder).filter((name) => /^(licen[cs]e|copying|notice|copyright)/i.test(name))
  const files = names.map((name) => join(folder, name)).filter((file) => statSync(file).isFile())
  return files.map((file) => readFileSync(file, 'utf8').replaceAll('\r\n', '\n').trim()).filter((text) => text !== '')
}

/**
 * What the programs are linked with on this system: what builds and tests them isn't in them.
 *
 * @returns {Part[]}
 */
function crates() {
  const host = /^host: (.*)$/m.exec(execFileSync('rustc', ['-vV'], { encoding: 'utf8' }))?.[1] ?? ''
  const asked = ['metadata', '--locked', '--format-version', '1', '--filter-platform', host]
  const { packages, resolve } = JSON.parse(
    execFileSync('cargo', asked, { cwd: ROOT, encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'inherit'] }),
  )
  const by_id = new Map(packages.map((/** @type {{ id: string }} */ one) => [one.id, one]))
  const nodes = new Map(resolve.nodes.map((/** @type {{ id: string }} */ one) => [one.id, one]))
  const next = packages
    .filter((/** @type {{ name: string, source: string | null }} */ one) => one.source === null && ['watchfloor', 'watchfloor-hub'].includes(one.name))
    .map((/** @type {{ id: string }} */ one) => one.id)
  const seen = new Set(next)
  for (let at = 0; at < next.length; at += 1) {
    for (const { pkg, dep_kinds } of nodes.get(next[at])?.deps ?? []) {
      const is_linked = dep_kinds.some((/** @type {{ kind: string | null }} */ { kind }) => kind === null)
      if (is_linked && !seen.has(pkg)) {
        seen.add(pkg)
        next.push(pkg)
      }
    }
  }
  return next
    .map((/** @type {string} */ id) => by_id.get(id))
    .filter((/** @type {{ source: string | null }} */ { source }) => source !== null)
    .map((/** @type {{ name: string, version: string, license: string | null, manifest_path: string }} */ one) => ({
      name: one.name,
      version: one.version,
      licence: one.license ?? 'see its text',
      texts: texts_in(dirname(one.manifest_path)),
    }))
}

/**
 * What the page is made of, and what that needs in turn.
 *
 * @returns {Part[]}
 */
function modules() {
  const lock = JSON.parse(readFileSync(join(ROOT, 'ui/package-lock.json'), 'utf8'))
  const own = Object.entries(lock.packages).filter(([path, { dev }]) => path.startsWith('node_modules/') && dev !== true)
  // The framework is compiled into the page, though nothing asks for it once that is built.
  const all = [...own, ...Object.entries(lock.packages).filter(([path]) => path === 'node_modules/svelte')]
  return all.map(([path, { version, license }]) => ({
    name: path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length),
    version,
    licence: license ?? 'see its text',
    texts: texts_in(join(ROOT, 'ui', path)),
  }))
}

/** @type {Map<string, string[]>} */
const texts = new Map()
const lines = []
for (const part of [...crates(), ...modules()].sort((a, b) => (a.name < b.name ? -1 : 1))) {
  const label = `${part.name} ${part.version}`
  lines.push(`- ${label}: ${part.licence}`)
  for (const text of part.texts) texts.set(text, [...(texts.get(text) ?? []), label])
}
const said = [...texts].map(([text, of]) => `## ${of.join(', ')}\n\n${text.replace(/^/gm, '    ')}\n`)
writeFileSync(to, `# What is in Watchfloor of others\n\n${lines.join('\n')}\n\n${said.join('\n')}`)
console.log(`${String(lines.length)} parts, ${String(texts.size)} texts: ${to}`)
