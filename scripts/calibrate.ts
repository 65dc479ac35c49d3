/**
 * Calibrates a recogniser on photographs: `npm run calibrate -- --data DIR`. Prints and writes the thresholds with their FMR/FNMR table.
 *
 * Thresholds that are in use only become stricter, unless `--replace` is given: a small set must not loosen what a larger one gave.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import * as runtime from 'onnxruntime-node'
import { z } from 'zod'
import { type Calibrated, calibrate, isMoreCautious, stricterOf } from '../bench/evaluation/calibrate.ts'
import { enrol } from '../bench/evaluation/enrolment.ts'
import { type Photographs, readPhotographs } from '../bench/evaluation/photographs.ts'
import { tableText } from '../bench/evaluation/report.ts'
import { type CalibrationEntry, calibrationSchema, OWN_CALIBRATION } from '../src/biometrics/calibration.ts'
import { createFaceEngine, type FaceEngine } from '../src/biometrics/engine/engine.ts'
import { chooseFaceModels } from '../src/biometrics/model-choice.ts'
import { type FalseMatchCurve, findCurve, thresholdAt } from '../src/biometrics/search/operating-point.ts'

const HELP = `Usage: npm run calibrate -- --data DIR [options]
  --data     folder with NAME-pairs.tsv and the pictures in NAME/, named Person_0001.jpg
  --set      standard | builtin (default: standard when it is installed)
  --recogniser  model id of a recogniser of your own (DIR/manifest.json of --models); written to calibration.json beside it
  --models   where the nets are kept (default .data/models)
  --dry-run  print, write nothing
  --replace  take the new figures even where they are looser
  --cache    scratch folder outside the project: keeps templates between runs
`
const CALIBRATION = path.resolve(import.meta.dirname, '../src/biometrics/calibration.json')
const CURVES = path.resolve(import.meta.dirname, '../src/biometrics/search/false-match-curve.json')

const calibrationFile = z.object({ about: z.string(), calibrations: z.array(calibrationSchema) })
const ownFile = z.object({ calibrations: z.array(calibrationSchema) })
const curveFile = z.object({ about: z.string(), curves: z.array(z.looseObject({ modelId: z.string() })) })

async function main(): Promise<number> {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  const options = {
    data: text,
    set: text,
    recogniser: text,
    models: { ...text, default: '.data/models' },
    cache: text,
    'dry-run': flag,
    replace: flag,
  }
  const { values } = parseArgs({ options: { ...options, help: { ...flag, short: 'h' } } })
  if (values.help || values.data === undefined) {
    process.stdout.write(HELP)
    return values.help ? 0 : 2
  }
  if (!existsSync(values.data)) throw new Error(`${values.data} is not there`)
  const photographs = readPhotographs(values.data)
  if (!photographs) throw new Error(`no NAME-pairs.tsv in ${values.data}`)
  const { recogniser } = values
  const wanted = recogniser === undefined ? values.set : 'standard'
  const set = wanted === 'standard' || wanted === 'builtin' ? wanted : (await chooseFaceModels('auto', values.models)).models.set
  const engine = await createFaceEngine({ runtime, modelsDir: values.models, set, recogniser })
  const found = await measured(engine, photographs, values.cache)
  await engine.close()
  process.stdout.write(`${engine.modelId}\n\n${tableText(found.table)}\n\n`)
  if (!values['dry-run'] && recogniser !== undefined) writeOwn(found, path.join(values.models, OWN_CALIBRATION))
  else if (!values['dry-run']) write(found, { replace: values.replace === true, dimension: engine.dimension })
  return 0
}

async function measured(engine: FaceEngine, photographs: Photographs, cache: string | undefined): Promise<Calibrated> {
  const onProgress = (done: number, of: number) => {
    if (done % 500 === 0 || done === of) process.stderr.write(`pictures: ${done} of ${of}\n`)
  }
  const { enrolled } = await enrol(engine, photographs, { cache, onProgress })
  const people = new Set(enrolled.map(({ identity }) => identity)).size
  const source = `${photographs.name}: ${enrolled.length} pictures of ${people} people, full cross match for k = 1, identity-balanced means for k = 3 and 5; npm run calibrate`
  return calibrate({ modelId: engine.modelId, metric: engine.metric }, enrolled, source)
}

/** The operator's own recogniser: beside its net, not in the program. */
function writeOwn({ entry }: Calibrated, file: string): void {
  const { calibrations } = existsSync(file) ? ownFile.parse(JSON.parse(readFileSync(file, 'utf8'))) : { calibrations: [] }
  const about = 'Greatest distance of the same person by model, operating point and k; written by npm run calibrate.'
  const whole = { about, calibrations: replaced(calibrations, calibrationSchema.parse(entry)) }
  writeFileSync(file, `${JSON.stringify(whole, null, 2)}\n`)
  process.stdout.write(`written: ${file}\n`)
}

function write(found: Calibrated, { replace, dimension }: { replace: boolean; dimension: number }): void {
  const tell = (what: string) => process.stdout.write(`${what}\n`)
  const { modelId, metric, source } = found.entry
  const file = calibrationFile.parse(JSON.parse(readFileSync(CALIBRATION, 'utf8')))
  const known = file.calibrations.find((each) => each.modelId === modelId)
  const { entry, changed } = known && !replace ? stricterOf(known, found.entry) : { entry: found.entry, changed: true }
  if (changed) saveCalibration({ ...file, calibrations: replaced(file.calibrations, calibrationSchema.parse(entry)) })
  tell(changed ? `written: ${CALIBRATION}` : 'calibration.json stays: its thresholds are at least as strict')
  const curve = findCurve(modelId)
  if (curve && !replace && isMoreCautious(curve, found.points, thresholdAt)) {
    tell('false-match-curve.json stays: it promises at least as many false matches')
    return
  }
  const curves = curveFile.parse(JSON.parse(readFileSync(CURVES, 'utf8')))
  const own: FalseMatchCurve = { modelId, dimension, metric, points: found.points, shiftByFrames: found.shiftByFrames, source }
  saveCurves({ ...curves, curves: replaced(curves.curves, own) })
  tell(`written: ${CURVES}`)
}

function replaced<T extends { readonly modelId: string }>(all: readonly T[], one: T): T[] {
  return all.some(({ modelId }) => modelId === one.modelId) ? all.map((each) => (each.modelId === one.modelId ? one : each)) : [...all, one]
}

function saveCalibration(file: { about: string; calibrations: CalibrationEntry[] }): void {
  writeFileSync(CALIBRATION, `${JSON.stringify(file, null, 2)}\n`)
}

function saveCurves(file: { about: string; curves: object[] }): void {
  writeFileSync(CURVES, `${JSON.stringify(file, null, 2)}\n`)
}

if (import.meta.main) {
  process.exitCode = await main().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    return 1
  })
}
