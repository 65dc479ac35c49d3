import { readFileSync } from 'node:fs'
import type { AuditActor } from '../../audit/index.ts'
import { type CapturePoint, POINT_CODE, type PointFacts, type PointMove, type Points } from '../../biometrics/index.ts'
import { Problem } from '../../platform/problem.ts'
import { tableOutcome } from '../cli.ts'
import { type Command, type Flag, type Outcome, type Typed, UsageError } from '../command.ts'
import { ADMIN_PROBLEMS } from '../problems.ts'

export interface PointTools {
  readonly points: () => Promise<Points>
  /** Who is at the keyboard, for the audit record. */
  readonly actor: AuditActor
}

/** States as operators read them. */
const STATES = { active: 'ativo', suspended: 'suspenso', retired: 'encerrado' } as const satisfies Record<CapturePoint['state'], string>

const FACTS: Readonly<Record<string, Flag>> = {
  unidade: { type: 'string', value: 'CÓDIGO', about: 'unidade de atendimento a que pertence' },
  nome: { type: 'string', about: 'como as pessoas chamam o ponto' },
  aparelho: { type: 'string', about: 'câmera, leitor e programa' },
  mantenedora: { type: 'string', about: 'quem conserta, conforme o contrato' },
  cliente: { type: 'string', value: 'CLIENT_ID', about: 'sistema que captura ali; nenhum outro envia pelo ponto' },
}
const VOUCHED: Flag = { type: 'string', value: 'sim|nao', about: 'se rostos dali viram referência do Estado; nao sem ela' }
const required = (flags: Readonly<Record<string, Flag>>) => Object.fromEntries(Object.entries(flags).map(([name, flag]) => [name, { ...flag, required: true }]))

/** Commands about the register of capture points. */
export function createPointCommands({ points, actor }: PointTools): Command[] {
  const positionals = ['CÓDIGO']
  const move = (words: string, summary: string, way: PointMove): Command => ({
    words, summary, positionals,
    run: async ({ positionals: [code = ''] }) => shown(await (await points()).move(code, way, actor)),
  })
  return [
    {
      words: 'ponto criar',
      summary: 'Registra um ponto de coleta do serviço de imagens (docs/image-service.md)',
      notes: 'O ponto nasce ativo. Códigos têm letras minúsculas, algarismos e hifens, por exemplo cba-centro-01.',
      positionals,
      flags: { ...required(FACTS), contrato: { type: 'string', value: 'CÓDIGO', about: 'contrato que o paga; não muda depois', required: true }, vale: VOUCHED },
      run: async (typed) => {
        const facts = factsOf(typed)
        const point = {
          code: codeFrom(typed.positionals[0]), contract: codeFrom(typed.text('contrato')), unitCode: facts.unitCode ?? '', title: facts.title ?? '',
          device: facts.device ?? '', maintainer: facts.maintainer ?? '', clientId: facts.clientId ?? '', vouched: facts.vouched ?? false,
        }
        return shown(await (await points()).add(point, actor))
      },
    },
    {
      words: 'ponto alterar',
      summary: 'Muda o que está escrito de um ponto; o que não é dito fica como está',
      positionals,
      flags: { ...FACTS, vale: VOUCHED },
      run: async (typed) => {
        const facts = factsOf(typed)
        if (Object.keys(facts).length === 0) throw new UsageError('Diga o que muda: veja "ponto alterar --help".')
        return shown(await (await points()).change(typed.positionals[0] ?? '', facts, actor))
      },
    },
    {
      words: 'ponto chave',
      summary: 'Registra a chave pública que assina os lotes do ponto; a anterior deixa de valer na hora',
      notes: 'O arquivo é uma JWK pública EC P-256. A chave privada nunca sai do ponto.',
      positionals: ['CÓDIGO', 'ARQUIVO'],
      run: async ({ positionals: [code = '', file = ''] }) => shown(await (await points()).setKey(code, readJson(file), actor)),
    },
    move('ponto suspender', 'Para um ponto: nenhuma captura nova, nenhum envio, nenhum lote', 'suspend'),
    move('ponto reativar', 'Reativa um ponto suspenso', 'resume'),
    move('ponto encerrar', 'Encerra um ponto para sempre', 'retire'),
    { words: 'ponto mostrar', summary: 'Mostra um ponto', positionals, run: async ({ positionals: [code = ''] }) => shown(await (await points()).get(code)) },
    {
      words: 'ponto listar',
      summary: 'Lista os pontos de coleta',
      run: async () => {
        const found = await (await points()).list()
        const rows = found.map((point) => [point.code, point.unitCode, point.title, point.contract, STATES[point.state], point.keyId === undefined ? 'não' : 'sim', point.vouched ? 'sim' : 'não'])
        return tableOutcome(['código', 'unidade', 'nome', 'contrato', 'situação', 'chave', 'vale'], rows, found.map(jsonOf), 'Nenhum ponto registrado: veja "ponto criar --help".')
      },
    },
  ]
}

function factsOf({ text }: Typed): Partial<PointFacts> {
  const vouched = text('vale')
  if (vouched !== undefined && vouched !== 'sim' && vouched !== 'nao') throw new UsageError('--vale é sim ou nao.')
  const given = { unitCode: text('unidade'), title: said(text('nome')), device: said(text('aparelho')), maintainer: said(text('mantenedora')), clientId: text('cliente') }
  if (given.unitCode !== undefined) codeFrom(given.unitCode)
  const members = Object.entries(given).filter(([, value]) => value !== undefined)
  return { ...Object.fromEntries(members), ...(vouched !== undefined && { vouched: vouched === 'sim' }) }
}

function said(text: string | undefined): string | undefined {
  const trimmed = text?.trim()
  if (trimmed !== undefined && (trimmed === '' || trimmed.length > 120)) throw new UsageError('Nomes têm de 1 a 120 letras.')
  return trimmed
}

function codeFrom(text = ''): string {
  if (!POINT_CODE.test(text) || text.length > 40) throw new UsageError('Códigos têm letras minúsculas, algarismos e hifens, até 40: por exemplo cba-centro-01.')
  return text
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (cause) {
    throw new Problem(ADMIN_PROBLEMS.fileUnreadable, { detail: `${file} não abre ou não é JSON`, cause })
  }
}

function jsonOf({ key: _, ...point }: CapturePoint): object {
  return point
}

function shown(point: CapturePoint): Outcome {
  const lines = [
    ['ponto', point.code], ['situação', STATES[point.state]], ['unidade', point.unitCode], ['nome', point.title], ['aparelho', point.device],
    ['mantenedora', point.maintainer], ['contrato', point.contract], ['cliente', point.clientId], ['rostos viram referência', point.vouched ? 'sim' : 'não'],
    ['chave', point.keyId ?? 'nenhuma'],
  ]
  return { text: lines.map(([name, value]) => `${name}: ${value}`).join('\n'), json: jsonOf(point) }
}
