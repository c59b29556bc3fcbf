// Checks bodies against Microsoft's published types: each becomes a literal of its type in a TypeScript file, so that
// properties which a type has not are found as well as wrong values.
//
// usage: NODE_PATH=…/node_modules node shapes.js RECORDING…   (JSON of /_simulator/exchanges)
'use strict'

const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const ts = require('typescript')

// The type of what the last segments of a path are, as an item.
const TYPES = [
  [/\/calendarView\/delta$|\/instances$|\/calendarView$|\/events(\/\{event\})?$/, 'Event'],
  [/\/calendars(\/\{calendar\})?$/, 'Calendar'],
  [/\/todo\/lists(\/\{list\})?$/, 'TodoTaskList'],
  [/\/tasks(\/\{task\}|\/delta)?$/, 'TodoTask'],
  [/\/linkedResources(\/\{resource\})?$/, 'LinkedResource'],
  [/\/contacts(\/\{contact\}|\/delta)?$/, 'Contact'],
  [/\/contactFolders(\/\{folder\})?$/, 'ContactFolder'],
  [/\/mailboxSettings$/, 'MailboxSettings'],
  [/\/supportedTimeZones(\/\{standard\})?$/, 'TimeZoneInformation'],
  [/\/subscriptions$/, 'Subscription'],
  [/\/users\/\{user\}$/, 'User'],
]

const typeOf = (target) => TYPES.find(([form]) => form.test(target))?.[1]

/** Annotations are OData's, not the type's. */
function bare(value) {
  if (Array.isArray(value)) return value.map(bare)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).filter(([name]) => !name.includes('@')).map(([name, inner]) => [name, bare(inner)]))
}

const literals = []
const say = (type, body, from) => literals.push({ type, from, text: JSON.stringify(bare(body)) })
let errors = 0

for (const file of process.argv.slice(2)) {
  for (const { target, sent, status, answered } of JSON.parse(fs.readFileSync(file, 'utf8'))) {
    if (target.endsWith('/$batch')) continue // its parts are recorded one by one
    if (status >= 400) {
      const error = answered?.error
      const shaped = typeof error?.code === 'string' && typeof error.message === 'string' && typeof error.innerError === 'object'
      if (!shaped) {
        console.error(`${target}: an error without its form: ${JSON.stringify(answered)}`)
        errors++
      }
      continue
    }
    const type = typeOf(target)
    if (!type) {
      console.error(`${target}: no type is known`)
      errors++
      continue
    }
    // What is sent may be a part of the type; what is answered may have been narrowed by $select.
    if (sent) say(type, sent, `${target}, sent`)
    const items = answered?.value && !answered.id ? answered.value : answered ? [answered] : []
    for (const item of items) say(type, item, `${target}, answered`)
  }
}

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'graph-shapes-'))
try {
  const source = path.join(folder, 'bodies.ts')
  const lines = literals.map(({ type, text }, at) => `export const body${at}: graph.${type} = ${text}`)
  fs.writeFileSync(source, ["import * as graph from '@microsoft/microsoft-graph-types'", ...lines].join('\n'))
  const types = path.dirname(require.resolve('@microsoft/microsoft-graph-types/package.json'))
  const program = ts.createProgram([source], {
    strict: true,
    noEmit: true,
    types: [],
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    module: ts.ModuleKind.ESNext,
    target: ts.ScriptTarget.ES2022,
    paths: { '@microsoft/microsoft-graph-types': [path.join(types, 'microsoft-graph.d.ts')] },
  })
  for (const found of ts.getPreEmitDiagnostics(program)) {
    const line = found.file ? found.file.getLineAndCharacterOfPosition(found.start).line : 0
    const from = literals[line - 1]?.from ?? 'the check itself'
    console.error(`${from}: ${ts.flattenDiagnosticMessageText(found.messageText, ' ')}`)
    errors++
  }
} finally {
  fs.rmSync(folder, { recursive: true })
}
if (errors || literals.length === 0) process.exit(1)
console.log(`${literals.length} bodies have the published shapes`)
