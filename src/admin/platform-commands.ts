import type { Config } from '../platform/config.ts'
import type { Command, Outcome } from './command.ts'
import { newMasterKey, readMasterKeyFile, storeMasterKey } from './master-key-file.ts'
import type { Vault } from './vault.ts'

export interface PlatformTools {
  readonly config: Pick<Config, 'platform'>
  /** Applies what is missing; the names of what was applied. */
  readonly migrate: () => Promise<readonly string[]>
  readonly vault: () => Promise<Vault>
}

const READY_TIMEOUT_MS = 5_000

/** Commands about the machine room: health, migrations and the keys that encrypt what is stored. */
export function createPlatformCommands(tools: PlatformTools): Command[] {
  return [
    {
      words: 'saude',
      summary: 'Pergunta ao servidor se está pronto (/pronto)',
      notes: 'Código de saída 0 se está pronto, 1 se não está ou não responde.',
      flags: { endereco: { type: 'string', value: 'URL', about: 'outro servidor; sem ela, o desta configuração' } },
      run: ({ text }) => checkHealth(text('endereco') ?? addressOf(tools.config)),
    },
    {
      words: 'banco migrar',
      summary: 'Aplica ao banco as migrações que faltam',
      notes: 'O servidor também faz isso ao subir. Aqui, para fazê-lo antes, sem subir nada.',
      run: async () => {
        const applied = await tools.migrate()
        return { text: applied.length === 0 ? 'Nada a fazer: o banco está em dia.' : `Aplicadas:\n${applied.map((name) => `  ${name}\n`).join('')}`, json: { applied } }
      },
    },
    {
      words: 'cofre rotacionar',
      summary: 'Cria uma nova chave de selo, que cifra o que for guardado daqui em diante',
      notes: 'O que já está guardado continua legível. Os processos em execução passam a usar a nova em um minuto.',
      run: async () => {
        const id = await (await tools.vault()).rotate()
        return { text: `Nova chave de selo: ${id}`, json: { keyId: id } }
      },
    },
    {
      words: 'chave-mestra gerar',
      summary: 'Imprime uma nova chave-mestra: 32 bytes aleatórios em base64url',
      run: async () => {
        const key = newMasterKey()
        return { text: key, json: { masterKey: key } }
      },
    },
    changeMasterKey(tools),
  ]
}

function changeMasterKey({ config, vault }: PlatformTools): Command {
  return {
    words: 'chave-mestra trocar',
    summary: 'Cifra de novo todas as chaves do cofre, agora sob outra chave-mestra',
    notes: [
      'A chave nova vem de um arquivo (feito com "chave-mestra gerar"), nunca da linha de comando.',
      'Pare todos os processos antes, e suba-os depois com a chave nova. Guarde a anterior enquanto houver cópias de segurança feitas com ela.',
    ].join('\n'),
    flags: { arquivo: { type: 'string', value: 'ARQUIVO', about: 'arquivo com a chave nova', required: true } },
    run: async ({ text }) => {
      const key = readMasterKeyFile(text('arquivo') ?? '')
      const stored = config.platform.masterKey ? undefined : storeMasterKey(config.platform.dataDir, key)
      const count = await (await vault()).changeMasterKey(key)
      const where = stored ? `Em uso: ${stored.install()} (a anterior ficou ao lado).` : 'Agora suba os processos com MASTER_KEY igual à chave nova.'
      return { text: `${count} chaves cifradas sob a nova chave-mestra. ${where}`, json: { keys: count, installed: stored !== undefined } }
    },
  }
}

function addressOf({ platform }: Pick<Config, 'platform'>): string {
  const host = ['0.0.0.0', '::'].includes(platform.host) ? '127.0.0.1' : platform.host
  return `http://${host.includes(':') ? `[${host}]` : host}:${platform.port}`
}

async function checkHealth(address: string): Promise<Outcome> {
  try {
    const answer = await fetch(new URL('/pronto', address), { signal: AbortSignal.timeout(READY_TIMEOUT_MS) })
    const said = await answer.text()
    const text = `${address}: ${answer.ok ? 'pronto' : `não está pronto (${answer.status})`}${said ? `\n${said}` : ''}`
    return { text, json: { address, ready: answer.ok, status: answer.status }, ...(!answer.ok && { exitCode: 1 }) }
  } catch {
    return { text: `${address}: não responde`, json: { address, ready: false }, exitCode: 1 }
  }
}
