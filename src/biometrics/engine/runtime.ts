/**
 * The part of `onnxruntime-node` that the engine uses.
 *
 * Declared here because only a worker may load that library: whoever makes an engine hands it in.
 */
export interface OnnxTensor {
  readonly data: unknown
}

export interface OnnxSession {
  run(feeds: Record<string, OnnxTensor>): Promise<Readonly<Record<string, OnnxTensor>>>
  release(): Promise<void>
}

export interface OnnxRuntime {
  readonly InferenceSession: { create(model: Uint8Array, options: Readonly<Record<string, unknown>>): Promise<OnnxSession> }
  readonly Tensor: new (type: 'float32', data: Float32Array, dims: readonly number[]) => OnnxTensor
}

/** One net, loaded: planes in, tables out. */
export interface Net {
  /** `planes`: one or more pictures of this size, channel by channel; answers each output by its name. */
  readonly run: (planes: Float32Array, width: number, height?: number) => Promise<(output: string) => Float32Array>
  readonly release: () => Promise<void>
}

/** One thread for each net: the pool of workers is what uses the other cores. */
const SESSION_OPTIONS = {
  executionProviders: ['cpu'],
  executionMode: 'sequential',
  graphOptimizationLevel: 'all',
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  logSeverityLevel: 3,
}

export interface NetOptions {
  /** Its working memory is given back after each run, at some cost in time. */
  readonly seldom?: boolean
  /** Name of the one input. */
  readonly input?: string
}

export async function loadNet(runtime: OnnxRuntime, model: Uint8Array, { seldom = false, input = 'image' }: NetOptions = {}): Promise<Net> {
  const session = await runtime.InferenceSession.create(model, { ...SESSION_OPTIONS, enableCpuMemArena: !seldom })
  return {
    async run(planes, width, height = width) {
      const shape = [planes.length / (3 * width * height), 3, height, width]
      const answers = await session.run({ [input]: new runtime.Tensor('float32', planes, shape) })
      return (output) => {
        const data = answers[output]?.data
        if (!(data instanceof Float32Array)) throw new Error(`the net has no float output named ${output}`)
        return data
      }
    },
    release: () => session.release(),
  }
}
