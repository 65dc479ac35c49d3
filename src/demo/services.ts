import type { SignInDemand } from '../portal/index.ts'

/** One service of the demonstration portal and what it demands of the sign-in. */
export interface PortalService extends SignInDemand {
  readonly id: string
  readonly title: string
  readonly summary: string
  readonly demand: string
  readonly done: string
}

const PRATA = 'urn:mt-login:nivel:prata'
const OURO = 'urn:mt-login:nivel:ouro'
const FACE = 'urn:mt-login:face'
const FACE_SECONDS = 300
/** Clocks may differ by this much. */
const LEEWAY_SECONDS = 30

export const SERVICES: readonly PortalService[] = [
  {
    id: 'segunda-via',
    title: 'Segunda via do IPVA',
    summary: 'Veja e imprima a guia do seu veículo.',
    demand: 'Basta entrar',
    done: 'Sua guia está pronta para imprimir.',
  },
  {
    id: 'carteira',
    title: 'Carteira de pesca amadora',
    summary: 'Peça a carteira que vale nos rios do estado.',
    demand: 'Pede conta prata',
    done: 'Seu pedido de carteira foi aberto.',
    acrValues: PRATA,
  },
  {
    id: 'conta-bancaria',
    title: 'Trocar a conta do benefício',
    summary: 'Escolha em que banco você recebe.',
    demand: 'Pede conta prata e seu rosto, na hora',
    done: 'Você pode trocar a conta do benefício agora.',
    acrValues: `${PRATA} ${FACE}`,
    maxAgeSeconds: FACE_SECONDS,
  },
  {
    id: 'em-nome-de',
    title: 'IPVA em nome de outra pessoa ou empresa',
    summary: 'Veja as guias de quem você representa.',
    demand: 'Pergunta por quem você age',
    done: 'As guias estão prontas.',
    scope: 'representacao',
    prompt: 'select_account',
  },
]

export function findService(id: string | undefined): PortalService | undefined {
  return SERVICES.find((service) => service.id === id)
}

/**
 * Whether the token bears what the service demanded.
 *
 * MT Login gives no weaker token than asked; a relying party looks all the same, as OpenID Connect Core 3.1.3.7 has it.
 */
export function isMet({ acrValues = '' }: PortalService, claims: Readonly<Record<string, unknown>>, now: Date): boolean {
  const asked = acrValues.split(' ')
  const { acr, face_time: faceTime } = claims
  if (asked.includes(PRATA) && acr !== PRATA && acr !== OURO) return false
  if (!asked.includes(FACE)) return true
  return typeof faceTime === 'number' && now.getTime() / 1000 - faceTime <= FACE_SECONDS + LEEWAY_SECONDS
}

/** RFC 8176 names in words; what the token says beyond these is for machines. */
const WAYS: ReadonlyMap<unknown, string> = new Map([
  ['pwd', 'senha'],
  ['otp', 'código do aplicativo'],
  ['user', 'chave de acesso'],
  ['sc', 'certificado digital'],
  ['face', 'rosto'],
])

/** How the citizen signed in, in words. */
export function waysIn({ amr }: Readonly<Record<string, unknown>>): string[] {
  return (Array.isArray(amr) ? amr : []).flatMap((name) => WAYS.get(name) ?? [])
}

/** For whom the citizen acts, as the token says; nothing for themself. */
export interface ActingFor {
  readonly name: string
  readonly document: string
  readonly powers: readonly string[]
  readonly until: string | undefined
}

/** Reads the claim `representation`; a portal never takes the represented party for the person who signed in. */
export function actingFor({ representation }: Readonly<Record<string, unknown>>): ActingFor | undefined {
  const represented = member(representation, 'represented')
  const name = member(represented, 'name')
  if (typeof name !== 'string') return undefined
  const [document, powers, until] = [member(represented, 'cpf') ?? member(represented, 'cnpj'), member(representation, 'powers'), member(representation, 'valid_through')]
  return {
    name,
    document: String(document ?? ''),
    powers: Array.isArray(powers) ? powers.map(String) : [],
    until: typeof until === 'string' ? until : undefined,
  }
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}
