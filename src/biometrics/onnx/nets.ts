import type { Graph, Value } from './graph.ts'
import { createGraph } from './graph.ts'
import { depthwiseKernelOf, kernelOf, normalisedKernel, scaledKernel, wideningKernel } from './kernels.ts'
import type { Weights } from './weights.ts'

/** The built-in nets, layer by layer, from the published weights to ONNX bytes. Inputs: RGB planes, normalised by the caller. */
export const NET_BUILDERS = {
  'tiny-face': { source: 'tiny_face_detector_model', build: buildTinyFace },
  'ssd-mobilenet': { source: 'ssd_mobilenetv1_model', build: buildSsd },
  'landmarks-68': { source: 'face_landmark_68_model', build: buildLandmarks },
  'descriptor-128': { source: 'face_recognition_model', build: buildDescriptor },
} as const

export type NetName = keyof typeof NET_BUILDERS

/** The reference library's size; any multiple of 32 will do, in both directions: the paddings fall in the same places. */
export const TINY_SIZE = 320
export const TINY_STRIDE = 32
export const SSD_SIZE = 512
export const LANDMARK_SIZE = 112
export const DESCRIPTOR_SIZE = 150
const LEAK = 0.10000000149011612
const SSD_EPSILON = 0.0010000000474974513

function separable(
  graph: Graph,
  weights: Weights,
  from: Value,
  prefix: string,
  options: { stride?: number; padding: 'same' | 'around' },
): Value {
  const deep = graph.conv(from, depthwiseKernelOf(weights(`${prefix}/depthwise_filter`)), { ...options, depthwise: true })
  return graph.conv(deep, kernelOf(weights(`${prefix}/pointwise_filter`), weights(`${prefix}/bias`)))
}

function buildTinyFace(weights: Weights): Uint8Array {
  const graph = createGraph('tiny-face')
  const input = graph.input('image', { channels: 3, size: TINY_SIZE, free: 'size' })
  let value = graph.conv(input, kernelOf(weights('conv0/filters'), weights('conv0/bias')), { padding: 'valid' })
  value = graph.leakyRelu(value, LEAK)
  for (let layer = 1; layer <= 5; layer++) {
    value = graph.pool('MaxPool', value, 2, 2, 'same')
    value = graph.leakyRelu(separable(graph, weights, value, `conv${layer}`, { padding: 'around' }), LEAK)
  }
  value = graph.pool('MaxPool', value, 2, 1, 'same')
  value = graph.conv(value, kernelOf(weights('conv8/filters'), weights('conv8/bias')))
  graph.output(value, 'cells', [1, value.channels, 'rows', 'columns'])
  return graph.finish()
}

function denseBlock(graph: Graph, weights: Weights, first: Value, block: number): Value {
  let sum = first
  let last = first
  for (let layer = 1; layer <= 3; layer++) {
    last = separable(graph, weights, last, `dense${block}/conv${layer}`, { padding: 'same' })
    sum = graph.add(sum, last)
    last = graph.relu(sum)
  }
  return last
}

function buildLandmarks(weights: Weights): Uint8Array {
  const graph = createGraph('landmarks-68')
  const input = graph.input('image', { channels: 3, size: LANDMARK_SIZE })
  let value = graph.conv(input, kernelOf(weights('dense0/conv0/filters'), weights('dense0/conv0/bias')), { stride: 2 })
  value = denseBlock(graph, weights, graph.relu(value), 0)
  for (let block = 1; block <= 3; block++) {
    const down = graph.relu(separable(graph, weights, value, `dense${block}/conv0`, { stride: 2, padding: 'same' }))
    value = denseBlock(graph, weights, down, block)
  }
  value = graph.averageAndMultiply(value, weights('fc/weights').values, weights('fc/bias').values)
  graph.output(value, 'points', [1, value.channels])
  return graph.finish()
}

function scaledConv(graph: Graph, weights: Weights, from: Value, prefix: string, down: boolean): Value {
  const plain = kernelOf(weights(`${prefix}/conv/filters`), weights(`${prefix}/conv/bias`))
  const kernel = scaledKernel(plain, weights(`${prefix}/scale/weights`).values, weights(`${prefix}/scale/biases`).values)
  return graph.conv(from, kernel, down ? { stride: 2, padding: 'valid' } : {})
}

function residual(graph: Graph, weights: Weights, from: Value, prefix: string): Value {
  const down = /_down/.test(prefix)
  const first = graph.relu(scaledConv(graph, weights, from, `${prefix}/conv1`, down))
  const second = scaledConv(graph, weights, first, `${prefix}/conv2`, false)
  if (!down) return graph.relu(graph.add(second, from))
  const half = graph.pool('AveragePool', from, 2, 2, 'valid')
  const pooled = half.channels === second.channels ? half : graph.conv(half, wideningKernel(half.channels, second.channels))
  const missing = pooled.height - second.height
  return graph.relu(graph.add(pooled, missing > 0 ? graph.growBottomRight(second, missing) : second))
}

const RESIDUALS = [
  ...['conv32_1', 'conv32_2', 'conv32_3', 'conv64_down', 'conv64_1', 'conv64_2', 'conv64_3', 'conv128_down'],
  ...['conv128_1', 'conv128_2', 'conv256_down', 'conv256_1', 'conv256_2', 'conv256_down_out'],
]

function buildDescriptor(weights: Weights): Uint8Array {
  const graph = createGraph('descriptor-128')
  const input = graph.input('image', { channels: 3, size: DESCRIPTOR_SIZE, free: 'batch' })
  let value = graph.relu(scaledConv(graph, weights, input, 'conv32_down', true))
  value = graph.pool('MaxPool', value, 3, 2, 'valid')
  for (const prefix of RESIDUALS) value = residual(graph, weights, value, prefix)
  value = graph.averageAndMultiply(value, weights('fc').values, undefined)
  graph.output(value, 'descriptors', ['batch', value.channels])
  return graph.finish()
}

function pointwise(graph: Graph, weights: Weights, from: Value, prefix: string, stride: number): Value {
  const kernel = kernelOf(weights(`${prefix}_pointwise/weights`), weights(`${prefix}_pointwise/convolution_bn_offset`))
  return graph.clip(graph.conv(from, kernel, { stride }), 0, 6)
}

function mobileNet(graph: Graph, weights: Weights, input: Value): { layer11: Value; layer13: Value } {
  let value = pointwise(graph, weights, input, 'MobilenetV1/Conv2d_0', 2)
  let layer11 = value
  for (let layer = 1; layer <= 13; layer++) {
    const prefix = `MobilenetV1/Conv2d_${layer}`
    const part = (name: string) => weights(`${prefix}_depthwise/BatchNorm/${name}`)
    const norm = { mean: part('moving_mean'), variance: part('moving_variance'), gamma: part('gamma'), beta: part('beta') }
    const kernel = normalisedKernel(depthwiseKernelOf(weights(`${prefix}_depthwise/depthwise_weights`)), norm, SSD_EPSILON)
    const stride = [2, 4, 6, 12].includes(layer) ? 2 : 1
    value = graph.clip(graph.conv(value, kernel, { stride, depthwise: true }), 0, 6)
    value = pointwise(graph, weights, value, prefix, 1)
    if (layer === 11) layer11 = value
  }
  return { layer11, layer13: value }
}

function buildSsd(weights: Weights): Uint8Array {
  const graph = createGraph('ssd-mobilenet')
  const { layer11, layer13 } = mobileNet(graph, weights, graph.input('image', { channels: 3, size: SSD_SIZE }))
  const features = [layer11, layer13]
  let value = layer13
  for (let layer = 0; layer <= 7; layer++) {
    value = pointwise(graph, weights, value, `Prediction/Conv2d_${layer}`, 1 + (layer % 2))
    if (layer % 2 === 1) features.push(value)
  }
  const head = (kind: string) =>
    features.map((feature, index) => {
      const prefix = `Prediction/BoxPredictor_${index}/${kind}`
      return graph.conv(feature, kernelOf(weights(`${prefix}/weights`), weights(`${prefix}/biases`)))
    })
  const boxes = graph.rows(head('BoxEncodingPredictor'), 4)
  const scores = graph.rows(head('ClassPredictor'), 3)
  graph.output(boxes, 'boxes', [boxes.height, 4])
  graph.output(scores, 'scores', [scores.height, 3])
  graph.output(graph.table(weights('Output/extra_dim').values, 4), 'anchors', [boxes.height, 4])
  return graph.finish()
}
