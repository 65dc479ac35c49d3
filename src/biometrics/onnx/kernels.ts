import type { Kernel } from './graph.ts'
import type { Weight } from './weights.ts'

/** TensorFlow's convolution weight (row, column, input, output) in ONNX's order. */
export function kernelOf(filters: Weight, bias?: Weight): Kernel {
  const [size = 0, , inputs = 0, outputs = 0] = filters.shape
  const values = new Float32Array(filters.values.length)
  const area = size * size
  for (let cell = 0; cell < area; cell++) {
    for (let input = 0; input < inputs; input++) {
      for (let output = 0; output < outputs; output++) {
        values[(output * inputs + input) * area + cell] = filters.values[(cell * inputs + input) * outputs + output] ?? Number.NaN
      }
    }
  }
  return { values, outputs, inputs, size, ...(bias && { bias: bias.values }) }
}

/** Depthwise weight (row, column, channel, 1) in ONNX's order: one input channel per group. */
export function depthwiseKernelOf(filters: Weight): Kernel {
  const [size = 0, , channels = 0] = filters.shape
  const area = size * size
  const values = new Float32Array(filters.values.length)
  for (let cell = 0; cell < area; cell++) {
    for (let channel = 0; channel < channels; channel++) {
      values[channel * area + cell] = filters.values[cell * channels + channel] ?? Number.NaN
    }
  }
  return { values, outputs: channels, inputs: 1, size }
}

/** The same convolution followed by `× factor + offset` for each output channel, as one convolution. */
export function scaledKernel(kernel: Kernel, factor: Float32Array, offset: Float32Array): Kernel {
  const perOutput = kernel.values.length / kernel.outputs
  const values = kernel.values.map((value, index) => value * (factor[Math.floor(index / perOutput)] ?? Number.NaN))
  const bias = offset.map((value, output) => (kernel.bias?.[output] ?? 0) * (factor[output] ?? Number.NaN) + value)
  return { ...kernel, values, bias }
}

export interface BatchNorm {
  readonly mean: Weight
  readonly variance: Weight
  readonly gamma: Weight
  readonly beta: Weight
}

/** The same convolution followed by batch normalisation, as one convolution. */
export function normalisedKernel(kernel: Kernel, norm: BatchNorm, epsilon: number): Kernel {
  const factor = norm.gamma.values.map((gamma, index) => gamma / Math.sqrt((norm.variance.values[index] ?? Number.NaN) + epsilon))
  const offset = norm.beta.values.map((beta, index) => beta - (norm.mean.values[index] ?? Number.NaN) * (factor[index] ?? Number.NaN))
  return scaledKernel(kernel, factor, offset)
}

/** Channel by channel as it is, zeros in the channels beyond: a padding that stays in the runtime's blocked layout. */
export function wideningKernel(inputs: number, outputs: number): Kernel {
  const values = new Float32Array(outputs * inputs)
  for (let channel = 0; channel < inputs; channel++) values[channel * inputs + channel] = 1
  return { values, outputs, inputs, size: 1 }
}

/** The same convolution with more channels: zeros come out of them, and what goes into them does not count. */
export function paddedKernel(kernel: Kernel, inputs: number, outputs: number): Kernel {
  const area = kernel.size * kernel.size
  const values = new Float32Array(outputs * inputs * area)
  for (let output = 0; output < kernel.outputs; output++) {
    const own = kernel.values.subarray(output * kernel.inputs * area, (output + 1) * kernel.inputs * area)
    values.set(own, output * inputs * area)
  }
  const bias = new Float32Array(outputs)
  if (kernel.bias) bias.set(kernel.bias)
  return { values, outputs, inputs, size: kernel.size, bias }
}
