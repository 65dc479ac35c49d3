/** One invented citizen whose data are like nobody else's, and a search for any trace of them. */
import { cpfOfNobody } from './citizen-journey.ts'

const CPF = cpfOfNobody(4242)

export const FAKE = {
  cpf: CPF,
  cpfTyped: `${CPF.slice(0, 3)}.${CPF.slice(3, 6)}.${CPF.slice(6, 9)}-${CPF.slice(9)}`,
  name: 'Zulmira Quixadá Tavares',
  socialName: 'Ezequias Quixadá',
  birthDate: '19/07/1961',
  birthDateStored: '1961-07-19',
  email: 'zulmira.quixada@correio-falso.example',
  nextEmail: 'ezequias.novo@correio-falso.example',
  phone: '(65) 99871-2346',
  password: 'jaburu-sucuri-piquizeiro-8',
  nextPassword: 'tamandua-buriti-cambara-41',
  lastPassword: 'lobeira-guara-carandazal-57',
} as const

/** The line of the base register that makes this citizen real. */
export const FAKE_REGISTER = `cpf,name,social_name,birth_date,situation\n${CPF},${FAKE.name},${FAKE.socialName},${FAKE.birthDateStored},regular\n`

const MARKS: readonly (readonly [string, RegExp])[] = [
  ['CPF', new RegExp([...CPF].join('[.\\-\\s/]?'))],
  ['part of the CPF', new RegExp(FAKE.cpfTyped.slice(4, 11).replace('.', '\\.'))],
  ['name', /zulmira|quixad|ezequias/i],
  ['birth date', /1961-?07-?19|19[/.]0?7[/.](19)?61|19071961/],
  ['address', /correio-falso/i],
  ['phone', /9[\s.-]?9871[\s.-]?2346/],
  ['password', /jaburu|tamandua-buriti|lobeira-guara/i],
]

/** What of the citizen can be read in a text, also where it is percent-encoded, escaped, in base64 or in hex. */
export function tracesIn(text: string): string[] {
  const readings = [text, decoded(text), unescaped(text), ...decodedRuns(text)]
  return MARKS.filter(([, mark]) => readings.some((reading) => mark.test(reading))).map(([name]) => name)
}

function decoded(text: string): string {
  return text.replace(/(%[0-9a-f]{2})+/gi, (run) => {
    try {
      return decodeURIComponent(run)
    } catch {
      return run
    }
  })
}

function unescaped(text: string): string {
  return text.replace(/\\u([0-9a-f]{4})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
}

/** Runs of base64 and hex, opened: nobody hides a name by encoding it. */
function* decodedRuns(text: string): Generator<string> {
  for (const [run] of text.matchAll(/[\w+/-]{16,}={0,2}/g)) {
    if (run.length > 100_000) continue
    yield Buffer.from(run, 'base64').toString('utf8')
    if (/^[0-9a-f]+$/i.test(run)) yield Buffer.from(run, 'hex').toString('utf8')
  }
}
