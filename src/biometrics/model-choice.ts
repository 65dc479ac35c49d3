import { ConfigError } from '../platform/config.ts'
import { BUILTIN_DIMENSION, BUILTIN_MODEL_ID } from './engine/builtin-set.ts'
import { PAD_NETS } from './engine/standard/pad-nets.ts'
import { recogniserContract } from './engine/standard/recogniser.ts'
import { findFetchedNet } from './nets/installation.ts'
import type { FetchedNetName } from './nets/manifest.ts'
import { readFetchedNets } from './nets/manifest.ts'
import { ModelChecksumError } from './onnx/model-files.ts'

/** The nets that look at faces here: named in every observation and decision, and on the health page. */
export interface FaceModels {
  readonly set: 'standard' | 'builtin'
  /** Templates of one id are comparable, and with no other. */
  readonly setId: string
  /** The net that makes descriptors, and how many numbers they have. */
  readonly recogniser: string
  readonly dimension: number
  /** Whether presentation-attack nets look at the frames of a liveness check. */
  readonly pad: boolean
}

export interface FaceModelChoice {
  readonly models: FaceModels
  /** For the operator: what is missing, and what it costs. */
  readonly warning?: string
}

export const BUILTIN_MODELS: FaceModels = {
  set: 'builtin',
  setId: BUILTIN_MODEL_ID,
  recogniser: 'descriptor-128',
  dimension: BUILTIN_DIMENSION,
  pad: false,
}

const REMEDY = 'run "npm run models"'

/**
 * The set of nets to start with: what was asked for, or under `auto` the best that is installed whole.
 *
 * A file with another checksum than the manifest's counts as missing and is named.
 * @throws {ConfigError} Under `standard`, when any of its nets is missing.
 */
export async function chooseFaceModels(wanted: 'auto' | 'standard' | 'builtin', modelsDir: string): Promise<FaceModelChoice> {
  if (wanted === 'builtin') return { models: BUILTIN_MODELS }
  const contract = recogniserContract(await readFetchedNets())
  const faults = await faultsOf(['yunet', contract.net], modelsDir)
  const padFaults = await faultsOf(
    PAD_NETS.map(({ name }) => name),
    modelsDir,
  )
  const all = [...faults, ...padFaults]
  if (wanted === 'standard' && all.length > 0) throw new ConfigError([`FACE_MODELS: standard, but ${all.join('; ')}: ${REMEDY}`])
  if (faults.length > 0) {
    return { models: BUILTIN_MODELS, warning: `face: the built-in nets are in use, because ${faults.join('; ')}: ${REMEDY}` }
  }
  const pad = padFaults.length === 0
  const { modelId: setId, net: recogniser, dimension } = contract
  const models: FaceModels = { set: 'standard', setId, recogniser, dimension, pad }
  return pad ? { models } : { models, warning: `face: no presentation-attack nets, because ${padFaults.join('; ')}: ${REMEDY}` }
}

async function faultsOf(names: readonly FetchedNetName[], modelsDir: string): Promise<string[]> {
  const faults: string[] = []
  for (const name of names) {
    try {
      if (!(await findFetchedNet(name, modelsDir))) faults.push(`${name} is not installed`)
    } catch (error) {
      if (!(error instanceof ModelChecksumError)) throw error
      faults.push(error.message)
    }
  }
  return faults
}

/** One line on what is in use and what it is worth. */
export function describeFaceModels({ set, setId, recogniser, pad }: FaceModels): string {
  const nets = set === 'standard' ? `standard nets (${setId}, ${recogniser})` : `the built-in nets are in use (${setId})`
  const worth = pad ? 'with presentation-attack nets; liveness class up to active' : 'no presentation-attack nets; liveness class basic'
  return `face: ${nets}, ${worth}, not certified ISO/IEC 30107-3`
}
