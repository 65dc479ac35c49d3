import { z } from 'zod'
import { meanTemplate, type NewTemplate } from '../../biometrics/index.ts'
import type { Item } from './item.store.ts'

/** What is kept of one shot beside its picture. */
export const shotFacts = z.object({ modelId: z.string(), descriptor: z.array(z.number()) })

/** The mean of a case's shots, by the model of the first; `undefined` without any. */
export function templateOf(items: readonly Item[]): NewTemplate | undefined {
  const shots = items.filter(({ kind }) => kind === 'face').map(({ facts }) => shotFacts.parse(facts.reveal()))
  const [first] = shots
  if (first === undefined || shots.some(({ modelId }) => modelId !== first.modelId)) return undefined
  return { modelId: first.modelId, k: shots.length, descriptor: meanTemplate(shots.map(({ descriptor }) => descriptor)) }
}

/** The shot that serves as the picture: the best of them. */
export function bestShot(items: readonly Item[]): Item | undefined {
  return items.filter(({ kind }) => kind === 'face').toSorted((a, b) => (b.quality ?? 0) - (a.quality ?? 0))[0]
}
