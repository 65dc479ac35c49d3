import {
  CANDIDATE_REASONS, type CandidateReason, type CandidateState, type FaceCandidate, type FaceCandidates, type FaceSearch, findCurve, type SearchStatus, toScore,
} from '../../biometrics/index.ts'
import { isUuid } from '../../platform/database/uuid.ts'
import { tableOutcome } from '../cli.ts'
import { type Command, UsageError } from '../command.ts'

export interface CandidateTools {
  readonly candidates: () => Promise<FaceCandidates>
  readonly search: () => Promise<FaceSearch>
  readonly actor: { readonly kind: 'operator'; readonly id: string }
}

const STATES: Readonly<Record<string, CandidateState>> = { pendente: 'pending', confirmado: 'confirmed', descartado: 'dismissed' }
/** As typed, and as stored; which of them confirm is the biometrics room's business. */
const REASONS: Readonly<Record<string, CandidateReason>> = {
  'mesma-pessoa': 'same-person',
  'imagem-trocada': 'swapped-image',
  gemeos: 'twins',
  parecidos: 'lookalike',
  'imagem-ruim': 'bad-image',
}
const MOST_SHOWN = 100

/** Commands about pairs of people whose faces are too near, and about the search that finds them. */
export function createCandidateCommands({ candidates, search, actor }: CandidateTools): Command[] {
  return [
    {
      words: 'candidatos listar',
      summary: 'Lista pares de pessoas com rostos parecidos demais, os mais próximos primeiro',
      notes: 'Um par é um indício para uma pessoa julgar: por si só não recusa nem bloqueia ninguém. Mostra ids, nunca nomes ou imagens.',
      flags: { estado: { type: 'string', value: 'ESTADO', about: `${Object.keys(STATES).join(', ')}; sem ela, pendente` } },
      run: async ({ text }) => {
        const found = await (await candidates()).list(stateFrom(text('estado')), MOST_SHOWN)
        return tableOutcome(['id', 'pessoa', 'outra pessoa', 'medida', 'limite', 'origem', 'motivo'], found.map(rowOf), found, 'Nenhum par neste estado.')
      },
    },
    {
      words: 'candidatos decidir',
      summary: 'Julga um par, uma vez só; o julgamento fica no registro de auditoria',
      notes: 'mesma-pessoa e imagem-trocada confirmam o par; gemeos, parecidos e imagem-ruim o descartam. Nada é tirado de ninguém: o que fazer com um par confirmado se decide no atendimento.',
      positionals: ['ID'],
      flags: { motivo: { type: 'string', value: 'MOTIVO', about: Object.keys(REASONS).join(', '), required: true } },
      run: async ({ positionals: [id = ''], text }) => {
        if (!isUuid(id)) throw new UsageError('O ID é o da primeira coluna de "candidatos listar".')
        const judged = await (await candidates()).judge(id, reasonFrom(text('motivo')), actor)
        return { text: `Par ${judged.id}: ${judged.state === 'confirmed' ? 'confirmado' : 'descartado'}.`, json: judged }
      },
    },
    {
      words: 'candidatos varrer',
      summary: 'Começa uma varredura de todos contra todos; o servidor a faz aos poucos',
      run: async () => {
        const started = await (await search()).startSweeps(actor)
        return { text: started === 0 ? 'Nenhuma começou: há uma em curso, ou a busca está desligada.' : `Varreduras começadas: ${started}.`, json: { started } }
      },
    },
    {
      words: 'candidatos estado',
      summary: 'Mostra se a busca 1:N está ligada, quantos rostos tem e até onde vai a varredura',
      run: async () => {
        const { state, status } = await search()
        const models = await status()
        const pending = await (await candidates()).count('pending')
        const head = state.on ? 'Busca 1:N ligada' : `Busca 1:N desligada (${state.fault})`
        return { text: [`${head}; pares por julgar: ${pending}`, ...models.map(lineOf)].join('\n'), json: { state, pending, models } }
      },
    },
    {
      words: 'candidatos reindexar',
      summary: 'Refaz o índice de busca de um modelo a partir das imagens guardadas',
      notes: 'Demora: conte com uma hora por milhão de rostos. Durante esse tempo a busca responde pelo que já está lá.',
      positionals: ['MODELO'],
      run: async ({ positionals: [modelId = ''] }) => {
        const faces = await (await search()).rebuild(modelId, actor)
        return { text: `Índice de ${modelId} refeito: ${faces} rostos.`, json: { modelId, faces } }
      },
    },
  ]
}

function rowOf(pair: FaceCandidate): string[] {
  const curve = findCurve(pair.modelId)
  const shown = (distance: number) => (curve ? toScore(curve, distance) : distance).toFixed(3)
  const reason = Object.entries(REASONS).find(([, stored]) => stored === pair.reason)?.[0] ?? ''
  const origin = pair.origin === 'sweep' ? 'varredura' : 'cadastro'
  return [pair.id, pair.leftPersonId, pair.rightPersonId, shown(pair.distance), shown(pair.threshold), origin, reason]
}

function lineOf({ modelId, faces, distance, sweep }: SearchStatus): string {
  const curve = findCurve(modelId)
  const limit = curve ? `, limite ${toScore(curve, distance).toFixed(3)} (${curve.metric === 'cosine' ? 'semelhança' : 'distância'})` : ''
  const swept = sweep ? `; varredura ${sweep.finishedAt ? 'completa' : 'em curso'}: ${sweep.searched} buscas, ${sweep.found} pares` : ''
  return `${modelId}: ${faces} rostos${limit}${swept}`
}

function stateFrom(text = 'pendente'): CandidateState {
  const state = STATES[text]
  if (!state) throw new UsageError(`Estado desconhecido: há ${Object.keys(STATES).join(', ')}.`)
  return state
}

function reasonFrom(text = ''): CandidateReason {
  const reason = REASONS[text] ?? CANDIDATE_REASONS.find((known) => known === text)
  if (!reason) throw new UsageError(`Motivo desconhecido: há ${Object.keys(REASONS).join(', ')}.`)
  return reason
}
