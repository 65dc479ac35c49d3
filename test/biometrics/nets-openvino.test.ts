import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import ort from 'onnxruntime-node'
import { readFetchedNets } from '../../src/biometrics/nets/manifest.ts'
import type { IrConstant, IrLayer } from '../../src/biometrics/nets/openvino-ir.ts'
import { IrFormatError, readOpenvinoIr } from '../../src/biometrics/nets/openvino-ir.ts'
import { convertReidentification } from '../../src/biometrics/nets/reidentification.ts'
import { readXml, XmlFormatError } from '../../src/biometrics/nets/xml.ts'
import { originalModelsDir, withoutStandardModels } from '../support/face-models.ts'

const utf8 = (text: string) => new TextEncoder().encode(text)

function halves(...values: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(2 * values.length))
  values.forEach((value, index) => view.setFloat16(2 * index, value, true))
  return new Uint8Array(view.buffer)
}

const port = (id: number, shape: string) =>
  `<port id="${id}">${shape
    .split(',')
    .map((size) => `<dim>${size}</dim>`)
    .join('')}</port>`
const layer = (id: number, type: string, data: string, inputs: readonly string[], output?: string) =>
  `<layer id="${id}" name="${id}" type="${type}" version="opset1"><data ${data}/>` +
  (inputs.length > 0 ? `<input>${inputs.map((shape, index) => port(index, shape)).join('')}</input>` : '') +
  `${output ? `<output>${port(9, output)}</output>` : ''}</layer>`
const edge = (from: number, to: number, at = 0) => `<edge from-layer="${from}" from-port="9" to-layer="${to}" to-port="${at}"/>`

/** 2 × 2 picture → one 1 × 1 convolution with a bias of its own layer → shared-slope PReLU → result. Weights: 1, 2, -3; 0.5; 0.25. */
const SMALL = {
  parameter: layer(0, 'Parameter', 'shape="1,3,2,2" element_type="f32"', [], '1,3,2,2'),
  weights: layer(1, 'Const', 'element_type="f16" shape="1, 3, 1, 1" offset="0" size="6"', [], '1,3,1,1'),
  widened: layer(2, 'Convert', 'destination_type="f32"', ['1,3,1,1'], '1,3,1,1'),
  convolution: layer(
    3,
    'Convolution',
    'strides="1, 1" dilations="1, 1" pads_begin="0, 0" pads_end="0, 0" auto_pad="explicit"',
    ['1,3,2,2', '1,3,1,1'],
    '1,1,2,2',
  ),
  biasWeights: layer(4, 'Const', 'element_type="f16" shape="1, 1, 1, 1" offset="6" size="2"', [], '1,1,1,1'),
  bias: layer(5, 'Convert', 'destination_type="f32"', ['1,1,1,1'], '1,1,1,1'),
  addition: layer(6, 'Add', 'auto_broadcast="numpy"', ['1,1,2,2', '1,1,1,1'], '1,1,2,2'),
  slopeWeights: layer(7, 'Const', 'element_type="f16" shape="1" offset="8" size="2"', [], '1'),
  slope: layer(8, 'Convert', 'destination_type="f32"', ['1'], '1'),
  prelu: layer(9, 'PReLU', '', ['1,1,2,2', '1'], '1,1,2,2'),
  result: layer(10, 'Result', '', ['1,1,2,2']),
}
const EDGES = [
  [0, 3],
  [1, 2],
  [2, 3, 1],
  [3, 6],
  [4, 5],
  [5, 6, 1],
  [6, 9],
  [7, 8],
  [8, 9, 1],
  [9, 10],
]
const WEIGHTS = halves(1, 2, -3, 0.5, 0.25)

function describe(changes: Partial<Record<keyof typeof SMALL, string>> = {}, edges = EDGES): Uint8Array {
  const layers = Object.values({ ...SMALL, ...changes }).join('')
  const lines = edges.map(([from = 0, to = 0, at]) => edge(from, to, at)).join('')
  return utf8(`<?xml version="1.0"?>\n<net name="small" version="11"><layers>${layers}</layers><edges>${lines}</edges></net>\n`)
}

test('a small net computes what a hand does: convolution, its bias, a slope below zero', async () => {
  const session = await ort.InferenceSession.create(convertReidentification(describe(), WEIGHTS))
  const image = Float32Array.of(1, 2, 3, 4, 0, 1, 0, 1, 1, 1, 2, 3)
  const { descriptors } = await session.run({ image: new ort.Tensor('float32', image, [1, 3, 2, 2]) })
  // 1 + 0 - 3 + .5 = -1.5; 2 + 2 - 3 + .5 = 1.5; 3 + 0 - 6 + .5 = -2.5; 4 + 2 - 9 + .5 = -2.5; below zero × .25
  assert.deepEqual([...(descriptors?.data ?? [])], [-0.375, 1.5, -0.625, -0.625])
})

test('the batch is free although the file says one picture', async () => {
  const session = await ort.InferenceSession.create(convertReidentification(describe(), WEIGHTS))
  const { descriptors } = await session.run({ image: new ort.Tensor('float32', new Float32Array(60), [5, 3, 2, 2]) })
  assert.deepEqual(descriptors?.dims, [5, 4])
})

test('whatever the converter does not know is refused by name', () => {
  const refused = (pattern: RegExp, changes: Parameters<typeof describe>[0], edges?: typeof EDGES) =>
    assert.throws(
      () => convertReidentification(describe(changes, edges), WEIGHTS),
      (error) => error instanceof IrFormatError && pattern.test(error.message),
    )
  refused(/layer 9: unknown kind Swish/, { prelu: SMALL.prelu.replace('PReLU', 'Swish') })
  refused(/layer 9: unknown form/, { prelu: SMALL.prelu.replace('opset1', 'opset7') })
  refused(/layer 4: unknown form/, { bias: SMALL.bias.replace('id="5"', 'id="4"') })
  refused(/constant 7: unknown type f32/, { slopeWeights: SMALL.slopeWeights.replace('f16', 'f32') })
  refused(/constant 7: reaches beyond the weights/, { slopeWeights: SMALL.slopeWeights.replace('offset="8"', 'offset="9"') })
  refused(/constant 1: 8 bytes for 3 values/, { weights: SMALL.weights.replace('size="6"', 'size="8"') })
  refused(/constant 1: .* bytes for 3000000000000 values/, {
    weights: SMALL.weights.replace('shape="1, 3, 1, 1"', 'shape="1000000, 3000000"'),
  })
  refused(/not a size: -3/, { weights: SMALL.weights.replace('shape="1, 3, 1, 1"', 'shape="1, -3, 1, 1"') })
  refused(/Convolution with dilations = 2, 2/, { convolution: SMALL.convolution.replace('dilations="1, 1"', 'dilations="2, 2"') })
  refused(/Convolution with strides = 3, 3/, { convolution: SMALL.convolution.replace('strides="1, 1"', 'strides="3, 3"') })
  refused(/Convolution with pads_begin = 0, 1/, { convolution: SMALL.convolution.replace('pads_begin="0, 0"', 'pads_begin="0, 1"') })
  refused(/Convolution says 1,1,2,3 and is 1,1,2,2/, {
    convolution: SMALL.convolution.replace(port(9, '1,1,2,2'), port(9, '1,1,2,3')),
  })
  refused(/an input that no earlier layer gives/, {}, [...EDGES.filter(([, to]) => to !== 6), [9, 6], [5, 6, 1]])
  refused(/edge to 3:0/, {}, [...EDGES, [1, 3]])
  refused(/PReLU needs a constant/, {}, [...EDGES.filter(([from]) => from !== 8), [6, 9, 1]])
  refused(/not one result/, { result: '' })
  refused(/converts something else than a constant/, {}, [...EDGES.filter(([, to]) => to !== 8), [6, 8]])
  assert.throws(() => convertReidentification(utf8('<net version="10"/>'), WEIGHTS), /not a net of version 11/)
})

test('XML that could be read in two ways is refused', () => {
  const refused = (text: string, pattern: RegExp) =>
    assert.throws(
      () => readXml(text),
      (error) => error instanceof XmlFormatError && pattern.test(error.message),
    )
  refused('<!DOCTYPE a [<!ENTITY b "c">]><a/>', /neither a tag/)
  refused('<a b="&lt;"/>', /neither a tag/)
  refused('<a>&#65;</a>', /neither a tag/)
  refused('<a><!-- b --></a>', /neither a tag/)
  refused('<a><![CDATA[b]]></a>', /neither a tag/)
  refused('<a b="1" b="2"/>', /given twice/)
  refused("<a b='1'/>", /neither a tag/)
  refused('<a><b></a></b>', /closes nothing/)
  refused('</a>', /closes nothing/)
  refused('<a></a b="1">', /closes nothing/)
  refused('<a>', /not one whole element/)
  refused('<a/><b/>', /not one whole element/)
  refused('', /not one whole element/)
  refused('<a>b<c/></a>', /text and elements/)
  refused('<a><c/>b</a>', /text after/)
  refused('<a>'.repeat(40), /levels/)
  refused(`<a>${'<b/>'.repeat(200_001)}</a>`, /elements/)
  refused(`<a>${' '.repeat(4_000_000)}</a>`, /longer than/)
  assert.deepEqual(readXml('<a b="1"><c>2</c></a>').children[0]?.text, '2')
  assert.equal(readXml('<a __proto__="1"/>').attributes.toString, Object.prototype.toString)
})

test('the published net equals a slow evaluation of its layers, one by one', { skip: withoutStandardModels() }, async () => {
  const net = (await readFetchedNets()).find(({ name }) => name === 'reidentification-0095')
  const [description, weights] = (net?.originals ?? []).map(({ folder, file }) =>
    readFileSync(path.join(originalModelsDir() ?? '', folder, file)),
  )
  assert.ok(description && weights)
  const image = Float32Array.from({ length: 3 * 128 * 128 }, (_, index) => (128 + 100 * Math.sin(index / 37) + ((index * 7919) % 28)) % 256)
  const expected = evaluate(readOpenvinoIr(description, weights), image)
  const session = await ort.InferenceSession.create(convertReidentification(description, weights))
  const { descriptors } = await session.run({ image: new ort.Tensor('float32', image, [1, 3, 128, 128]) })
  const found = descriptors?.data
  assert.ok(found instanceof Float32Array)
  const largest = Math.max(...expected.map(Math.abs))
  const difference = Math.max(...expected.map((value, index) => Math.abs(value - (found[index] ?? Number.NaN))))
  assert.equal(expected.length, 256)
  assert.ok(difference < 2e-5 * largest, `differs by ${difference} of ${largest}`)
})

interface Array4 {
  readonly shape: readonly number[]
  readonly values: Float32Array
}

/** Every layer as its definition says, nothing folded. */
function evaluate(layers: readonly IrLayer[], image: Float32Array): Float32Array {
  const values = new Map<string, Array4>()
  const input = ({ inputs }: IrLayer, index: number): Array4 => {
    const from = inputs[index]
    const value = typeof from === 'string' ? values.get(from) : from
    assert.ok(value)
    return value
  }
  for (const item of layers) {
    if (item.kind === 'Result') return input(item, 0).values
    values.set(item.id, { shape: item.shape, values: item.kind === 'Parameter' ? image : layerValues(item, (index) => input(item, index)) })
  }
  throw new Error('no result')
}

function layerValues(item: IrLayer, input: (index: number) => Array4): Float32Array {
  const [first] = [input(0)]
  if (item.kind === 'Sigmoid') return first.values.map((value) => 1 / (1 + Math.exp(-value)))
  if (item.kind === 'AvgPool') return averages(first)
  const second = input(1)
  if (item.kind === 'Convolution') return convolved(item, first, second, 1)
  if (item.kind === 'GroupConvolution') return convolved(item, first, { ...second, shape: second.shape.slice(1) }, second.shape[0] ?? 0)
  const at = broadcast(first, second)
  if (item.kind === 'Add') return first.values.map((value, index) => value + at(index))
  if (item.kind === 'Multiply') return first.values.map((value, index) => value * at(index))
  assert.equal(item.kind, 'PReLU')
  return first.values.map((value, index) => (value < 0 ? value * at(index) : value))
}

function broadcast({ shape }: Array4, second: IrConstant): (index: number) => number {
  const area = (shape[2] ?? 0) * (shape[3] ?? 0)
  if (second.values.length === area * (shape[1] ?? 0)) return (index) => second.values[index] ?? Number.NaN
  return (index) => second.values[second.values.length === 1 ? 0 : Math.floor(index / area)] ?? Number.NaN
}

function averages({ shape, values }: Array4): Float32Array {
  const area = (shape[2] ?? 0) * (shape[3] ?? 0)
  return Float32Array.from({ length: shape[1] ?? 0 }, (_, channel) => {
    return values.subarray(channel * area, (channel + 1) * area).reduce((sum, value) => sum + value, 0) / area
  })
}

function convolved({ data, shape: output }: IrLayer, from: Array4, kernel: Array4, groups: number): Float32Array {
  const [pad = 0] = (data.pads_begin ?? '').split(',').map(Number)
  const [stride = 1] = (data.strides ?? '').split(',').map(Number)
  const [, outputs = 0, rows = 0, columns = 0] = output
  const [, , height = 0, width = 0] = from.shape
  const [inputs = 0, size = 0] = kernel.shape.slice(-3)
  const sums = new Float64Array(outputs * rows * columns)
  for (let channel = 0; channel < outputs; channel++) {
    for (let tap = 0; tap < inputs * size * size; tap++) {
      const weight = kernel.values[channel * inputs * size * size + tap] ?? Number.NaN
      const plane = (groups > 1 ? channel : Math.floor(tap / (size * size))) * height * width
      const [down, across] = [(Math.floor(tap / size) % size) - pad, (tap % size) - pad]
      for (let row = 0; row < rows; row++) {
        const y = row * stride + down
        if (y < 0 || y >= height) continue
        for (let column = 0; column < columns; column++) {
          const x = column * stride + across
          if (x < 0 || x >= width) continue
          const place = (channel * rows + row) * columns + column
          sums[place] = (sums[place] ?? 0) + weight * (from.values[plane + y * width + x] ?? Number.NaN)
        }
      }
    }
  }
  return Float32Array.from(sums)
}
