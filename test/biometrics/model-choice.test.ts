import assert from 'node:assert/strict'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'
import { chooseFaceModels, describeFaceModels } from '../../src/biometrics/model-choice.ts'
import { ConfigError } from '../../src/platform/config.ts'
import { standardModelsDir, withoutStandardModels } from '../support/face-models.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'mt-login-choice-'))
after(() => rmSync(folder, { recursive: true, force: true }))
const skip = withoutStandardModels()

/** A copy of the installed nets that a test may spoil. */
function copyOfModels(name: string, without: readonly string[] = []): string {
  const copy = path.join(folder, name)
  cpSync(standardModelsDir() ?? '', copy, { recursive: true })
  for (const file of without) rmSync(path.join(copy, file))
  return copy
}

const refused = (pattern: RegExp) => (error: unknown) => error instanceof ConfigError && pattern.test(error.message)

test('without the fetched nets `auto` starts on the built-in ones and says what to do, and `standard` refuses', async () => {
  const { models, warning } = await chooseFaceModels('auto', path.join(folder, 'none'))
  assert.deepEqual([models.setId, models.dimension, models.pad], ['builtin-128-v1', 128, false])
  assert.match(warning ?? '', /yunet is not installed.*npm run models/)
  await assert.rejects(
    chooseFaceModels('standard', path.join(folder, 'none')),
    refused(/FACE_MODELS: standard, but yunet is not installed.*npm run models/),
  )
})

test('with all nets `auto` and `standard` choose the same; `builtin` never looks', { skip }, async () => {
  const modelsDir = copyOfModels('all')
  const choices = await Promise.all([chooseFaceModels('auto', modelsDir), chooseFaceModels('standard', modelsDir)])
  for (const { models, warning } of choices) {
    assert.deepEqual(
      [models.setId, models.recogniser, models.dimension, models.pad],
      ['standard-256-v1', 'reidentification-0095', 256, true],
    )
    assert.equal(warning, undefined)
  }
  assert.equal((await chooseFaceModels('builtin', modelsDir)).models.setId, 'builtin-128-v1')
})

test('without the PAD nets the standard set runs under `auto` with a warning and a lower class', { skip }, async () => {
  const modelsDir = copyOfModels('no-pad', ['minifasnet-v1se.onnx'])
  const { models, warning } = await chooseFaceModels('auto', modelsDir)
  assert.deepEqual([models.setId, models.pad], ['standard-256-v1', false])
  assert.match(warning ?? '', /minifasnet-v1se is not installed/)
  assert.match(describeFaceModels(models), /liveness class basic/)
  await assert.rejects(chooseFaceModels('standard', modelsDir), refused(/minifasnet-v1se/))
})

test('a net with another checksum is never used: named with both sums under `standard`, left aside under `auto`', { skip }, async () => {
  const modelsDir = copyOfModels('changed')
  writeFileSync(path.join(modelsDir, 'reidentification-0095.onnx'), 'not a net')
  const { models, warning } = await chooseFaceModels('auto', modelsDir)
  assert.equal(models.setId, 'builtin-128-v1')
  assert.match(warning ?? '', /reidentification-0095\.onnx: expected sha256 [0-9a-f]{64}, found [0-9a-f]{64}/)
  await assert.rejects(chooseFaceModels('standard', modelsDir), refused(/expected sha256/))
})

test('the line for operators names the set, its worth and the missing certificate', async () => {
  const { models } = await chooseFaceModels('builtin', folder)
  assert.match(describeFaceModels(models), /built-in nets.*builtin-128-v1.*liveness class basic.*not certified ISO\/IEC 30107-3/)
})
