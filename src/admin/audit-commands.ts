import type { Audit } from '../audit/index.ts'
import type { Command } from './command.ts'

/** Commands about the audit record. */
export function createAuditCommands(audit: () => Promise<Pick<Audit, 'seal' | 'verify' | 'checkpoint'>>): Command[] {
  return [
    {
      words: 'auditoria verificar',
      summary: 'Confere a cadeia do registro de auditoria, linha por linha',
      notes: 'Código de saída 1 e a primeira linha errada se algo foi mudado, apagado, trocado ou cortado.',
      run: async () => {
        const verdict = await (await audit()).verify()
        if (verdict.ok) return { text: `Íntegro: ${verdict.rows} linhas conferidas.`, json: verdict }
        return { text: `ADULTERADO. Primeira linha errada: ${JSON.stringify(verdict.firstBad)}`, json: verdict, exitCode: 1 }
      },
    },
    {
      words: 'auditoria checkpoint',
      summary: 'Assina a ponta da cadeia, para guardar fora daqui',
      notes: 'O servidor faz um por dia e o escreve no log. Guardado fora, prova que o registro não foi cortado depois.',
      run: async () => {
        const record = await audit()
        await record.seal()
        const checkpoint = await record.checkpoint()
        return { text: JSON.stringify(checkpoint), json: checkpoint }
      },
    },
  ]
}
