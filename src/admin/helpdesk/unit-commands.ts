import { type Cpf, parseCpf } from '../../accounts/index.ts'
import type { CommandLine, Staff } from '../../helpdesk/index.ts'
import { lastMomentOf } from '../../platform/clock.ts'
import { tableOutcome } from '../cli.ts'
import { type Command, UsageError } from '../command.ts'

/** Commands about the counter's units; the first manager of each is named here, everybody else by the manager above. */
export function createUnitCommands(staff: () => Promise<Staff>, by: CommandLine): Command[] {
  return [
    {
      words: 'unidade criar',
      summary: 'Abre uma unidade de atendimento (balcão)',
      flags: {
        codigo: { type: 'string', value: 'CODIGO', about: 'curto, minúsculas e hifens, por exemplo ganha-tempo-cuiaba', required: true },
        nome: { type: 'string', value: 'NOME', about: 'como o cidadão a conhece', required: true },
        municipio: { type: 'string', value: 'MUNICIPIO', about: 'onde fica', required: true },
        acima: { type: 'string', value: 'CODIGO', about: 'unidade cuja gestão está acima da gestão desta' },
      },
      run: async ({ text }) => {
        const code = text('codigo') ?? ''
        if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(code) || code.length > 40) throw new UsageError('O código tem só letras minúsculas, números e hifens.')
        const unit = { code, name: text('nome') ?? '', municipality: text('municipio') ?? '', above: text('acima') }
        const opened = await (await staff()).openUnit(unit, by)
        return { text: `Unidade ${opened.code} aberta: agora "unidade gestor" diz quem cuida dela.`, json: opened }
      },
    },
    {
      words: 'unidade listar',
      summary: 'Lista as unidades abertas',
      run: async () => {
        const units = await (await staff()).listUnits()
        const rows = units.map(({ code, name, municipality }) => [code, name, municipality])
        return tableOutcome(['código', 'nome', 'município'], rows, units, 'Nenhuma unidade ainda: veja "unidade criar --help".')
      },
    },
    {
      words: 'unidade regras',
      summary: 'Diz que foto a unidade aceita e com que rigor compara os rostos',
      flags: {
        unidade: { type: 'string', value: 'CODIGO', about: 'código da unidade', required: true },
        foto: { type: 'string', value: 'PERFIL', about: 'norma (ISO/IEC 19794-5) ou webcam', required: true },
        rigor: { type: 'string', value: 'RIGOR', about: 'normal (um erro em 10 mil) ou alto (um em 100 mil); sem ela, normal' },
        conferir: { type: 'string', value: 'PORCENTO', about: 'aprovações em cem que são sorteadas para uma segunda conferência, 0 a 100; sem ela, fica como está' },
      },
      run: async ({ text }) => {
        const faceProfile = oneOf(text('foto') ?? '', { norma: 'capture-point', webcam: 'reference' } as const)
        const matchPoint = oneOf(text('rigor') ?? 'normal', { normal: 'fmr1e-4', alto: 'fmr1e-5' } as const)
        const unit = await (await staff()).setRules(text('unidade') ?? '', { faceProfile, matchPoint, ...shareFrom(text('conferir')) }, by)
        return { text: `Unidade ${unit.code}: regras mudadas.`, json: unit }
      },
    },
    {
      words: 'unidade gestor',
      summary: 'Dá a gestão de uma unidade a quem já tem conta; só enquanto ela não tem gestão',
      notes: 'A pessoa precisa de conta ativa com segundo fator. Depois é a gestão que dá os outros papéis, em /balcao/equipe.',
      flags: {
        unidade: { type: 'string', value: 'CODIGO', about: 'código da unidade', required: true },
        cpf: { type: 'string', value: 'CPF', about: 'de quem recebe a gestão', required: true },
        ate: { type: 'string', value: 'AAAA-MM-DD', about: 'último dia, no máximo daqui a um ano', required: true },
      },
      run: async ({ text }) => {
        const first = { unitCode: text('unidade') ?? '', cpf: cpfFrom(text('cpf')), endsAt: dayFrom(text('ate')) }
        const role = await (await staff()).grantFirst(first, by)
        return { text: `Conta ${role.accountId}: gestão da unidade até ${text('ate')}.`, json: role }
      },
    },
  ]
}

function oneOf<Name extends string, Value>(text: string, names: Readonly<Record<Name, Value>>): Value {
  for (const [name, value] of Object.entries<Value>(names)) if (name === text) return value
  throw new UsageError(`Escolha uma destas: ${Object.keys(names).join(', ')}.`)
}

function shareFrom(text: string | undefined): { sampleShare?: number } {
  if (text === undefined) return {}
  if (!/^\d{1,3}$/.test(text) || Number(text) > 100) throw new UsageError('Escreva um número de 0 a 100.')
  return { sampleShare: Number(text) }
}

function cpfFrom(text = ''): Cpf {
  const cpf = parseCpf(text)
  if (!cpf) throw new UsageError('Esse CPF não existe: confira os números.')
  return cpf
}

function dayFrom(text = ''): Date {
  const end = lastMomentOf(text)
  if (!end) throw new UsageError('Escreva a data como 2027-06-30.')
  return end
}
