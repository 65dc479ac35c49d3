import type { Audit, Verdict } from '../audit/index.ts'
import type { Command, Outcome } from './command.ts'

export type AuditTools = Pick<Audit, 'seal' | 'verify' | 'checkpoint' | 'checkpointKey'>

/** As auditors name what can be wrong with a line. */
const FAULTS: Readonly<Record<Extract<Verdict, { ok: false }>['firstBad']['fault'], string>> = {
  'seal-missing': 'falta um selo na cadeia',
  'event-missing': 'o evento selado foi apagado',
  'event-changed': 'o evento foi mudado depois de selado',
  'chain-broken': 'o selo não segue o anterior',
  'checkpoint-forged': 'a assinatura do checkpoint não confere',
  'checkpoint-mismatch': 'a cadeia não passa pelo checkpoint assinado',
  'cut-off': 'o fim da cadeia foi cortado',
}

/** What else is held against the record, such as the metering; each answers what it found. */
export type RecordCheck = () => Promise<Outcome>

/** Commands about the audit record. */
export function createAuditCommands(audit: () => Promise<AuditTools>, further: readonly RecordCheck[] = []): Command[] {
  return [
    {
      words: 'auditoria verificar',
      summary: 'Confere a cadeia do registro de auditoria, linha por linha',
      notes: 'Código de saída 1 e a primeira linha errada se algo foi mudado, apagado, trocado ou cortado.',
      run: async () => {
        const found = [shown(await (await audit()).verify())]
        for (const check of further) found.push(await check())
        return joined(found)
      },
    },
    {
      words: 'auditoria checkpoint',
      summary: 'Assina a ponta da cadeia e a mostra, para guardar fora daqui',
      notes: 'O servidor também faz isso de hora em hora e escreve no log. Guardada fora, a ponta prova que nada antes dela mudou.',
      run: async () => {
        const record = await audit()
        await record.seal()
        await record.checkpoint()
        const verdict = await record.verify()
        if (!verdict.ok) return shown(verdict)
        const { seq, hash } = verdict.head
        const json = { seq, hash: Buffer.from(hash).toString('hex'), keyId: record.checkpointKey.id }
        return { text: `Ponta assinada: linha ${seq}, hash ${json.hash}, chave ${json.keyId}`, json }
      },
    },
    {
      words: 'auditoria chave',
      summary: 'Mostra a chave pública que confere os checkpoints',
      run: async () => {
        const { id, pem } = (await audit()).checkpointKey
        return { text: `${id}\n${pem}`, json: { keyId: id, pem } }
      },
    },
  ]
}

/** The chain's verdict with what the further checks say below it; wrong when any of them is. */
function joined([chain, ...others]: readonly Outcome[]): Outcome {
  const all = [chain, ...others].filter((outcome) => outcome !== undefined)
  const isWrong = all.some(({ exitCode }) => exitCode === 1)
  const further = others.length > 0 ? { further: others.map(({ json }) => json) } : {}
  return { text: all.map(({ text }) => text).join('\n'), json: { ...Object(chain?.json), ...further }, ...(isWrong && { exitCode: 1 as const }) }
}

function shown(verdict: Verdict): Outcome {
  if (verdict.ok) {
    const waiting = verdict.unsealed > 0 ? ` ${verdict.unsealed} ainda sem selo.` : ''
    const json = { ok: true, rows: verdict.rows, unsealed: verdict.unsealed, head: Buffer.from(verdict.head.hash).toString('hex') }
    return { text: `Íntegro: ${verdict.rows} linhas conferidas.${waiting}`, json }
  }
  const { seq, eventId, fault } = verdict.firstBad
  const event = eventId === undefined ? '' : ` (evento ${eventId})`
  return { text: `ADULTERADO na linha ${seq}${event}: ${FAULTS[fault]}.`, json: verdict, exitCode: 1 }
}
