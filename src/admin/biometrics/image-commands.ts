import type { RetentionRule } from '../../biometrics/index.ts'
import { isUuid } from '../../platform/database/uuid.ts'
import { type Command, type Outcome, UsageError } from '../command.ts'
import { tableOutcome } from '../cli.ts'
import { createProgressBar } from './progress-bar.ts'
import { cpfFrom, dateFrom, type ImageTools, lockFrom, sourcesFrom } from './image-tools.ts'

const SECRETS = {
  'senha-arquivo': { type: 'string', value: 'ARQUIVO', about: 'arquivo (modo 600) com a senha da cifra, 16 caracteres ou mais' },
} as const
const CPF = { cpf: { type: 'string', value: 'CPF', about: 'de quem são as imagens', required: true } } as const

/** Commands about the state's images: in, out, intact, kept, erased. */
export function createImageCommands(tools: ImageTools): Command[] {
  return [importCommand(tools), exportCommand(tools), verifyCommand(tools), mendCommand(tools), remakeCommand(tools), ...custodyCommands(tools), ...retentionCommands(tools)]
}

function importCommand({ transfer, setting }: ImageTools): Command {
  return {
    words: 'imagens importar',
    summary: 'Importa uma base de imagens: linhas NDJSON e os arquivos que elas citam',
    notes: [
      'Interrompido, repita o mesmo comando: ele continua de onde parou, e nada entra duas vezes.',
      'O formato das linhas e as razões de recusa estão em docs/image-store.md. As recusas ficam num arquivo, por número de linha.',
      'Com PostgreSQL o servidor pode estar no ar; com o banco embutido, pare-o antes.',
    ].join('\n'),
    flags: {
      manifesto: { type: 'string', value: 'ARQUIVO', about: 'NDJSON, uma imagem por linha; sem ela, o manifest.ndjson de dentro do tar' },
      pasta: { type: 'string', value: 'PASTA', about: 'pasta dos arquivos de imagem' },
      tar: { type: 'string', value: 'ARQUIVO', about: 'tar (ustar ou pax, sem compressão) com os arquivos; pode estar cifrado' },
      origem: { type: 'string', value: 'NOME', about: 'origem das linhas que não dizem a sua', required: true },
      confiar: { type: 'boolean', about: 'o Estado responde pela base: vale o que as linhas dizem de trusted e in_person' },
      'repetir-recusadas': { type: 'boolean', about: 'examina de novo as linhas antes recusadas' },
      relatorio: { type: 'string', value: 'ARQUIVO', about: 'onde escrever as recusas; sem ela, MANIFESTO.recusas.ndjson' },
      paralelo: { type: 'string', value: 'N', about: 'imagens em trabalho ao mesmo tempo' },
      'chave-privada': { type: 'string', value: 'ARQUIVO', about: 'chave X25519 (PEM, modo 600) que abre o tar cifrado' },
      ...SECRETS,
    },
    run: async (typed) => {
      const { manifest, files, close } = await sourcesFrom(typed, setting.progress)
      const reportPath = typed.text('relatorio') ?? `${typed.text('manifesto') ?? typed.text('tar')}.recusas.ndjson`
      const bar = createProgressBar(setting.progress)
      const parallel = Number(typed.text('paralelo') ?? setting.parallel)
      if (!Number.isInteger(parallel) || parallel < 1 || parallel > 64) throw new UsageError('--paralelo vai de 1 a 64.')
      try {
        const result = await (await transfer()).importImages({
          manifest, files, parallel, reportPath, actor: setting.actor, source: typed.text('origem') ?? '', trusting: typed.is('confiar'),
          retryRefused: typed.is('repetir-recusadas'),
          onProgress: ({ counts, lines }) => bar.show(counts.stored + counts.known + counts.refused, lines, `${counts.refused} recusadas`),
        })
        bar.end()
        const { counts, reasons, lines, looked } = result
        const rows = Object.entries(reasons).map(([reason, count]) => `  ${String(count).padStart(8)}  ${reason}\n`).join('')
        const said = `${lines} linhas: ${counts.stored} guardadas, ${counts.known} já estavam aqui, ${counts.refused} recusadas (${looked} examinadas agora).`
        return { text: `${said}\n${rows}${counts.refused > 0 ? `Recusas por linha: ${reportPath}\n` : ''}`, json: { ...result, reportPath } }
      } finally {
        await close()
      }
    },
  }
}

function exportCommand({ transfer, setting }: ImageTools): Command {
  return {
    words: 'imagens exportar',
    summary: 'Exporta as imagens em uso, com a proveniência, na forma que "imagens importar" lê',
    notes: 'Cifrada por senha ou chave pública; em claro só com --em-claro. Interrompida, recomeça. Cada pessoa vê a exportação no seu histórico.',
    flags: {
      saida: { type: 'string', value: 'LUGAR', about: 'arquivo tar, ou pasta (só em claro)', required: true },
      'chave-publica': { type: 'string', value: 'ARQUIVO', about: 'chave X25519 (PEM) de quem vai ler' },
      ...SECRETS,
      'em-claro': { type: 'boolean', about: 'sem cifra: quem tiver o arquivo vê as imagens' },
      pasta: { type: 'boolean', about: 'a saída é uma pasta de modo 0700' },
    },
    run: async (typed) => {
      const lock = await lockFrom(typed)
      if ((lock === undefined) !== typed.is('em-claro')) throw new UsageError('Diga --senha-arquivo, --chave-publica ou --em-claro, um deles.')
      if (lock && typed.is('pasta')) throw new UsageError('Uma pasta não pode ser cifrada: exporte para um arquivo.')
      const bar = createProgressBar(setting.progress)
      const target = typed.text('saida') ?? ''
      const result = await (await transfer()).exportImages({
        target, lock, isArchive: !typed.is('pasta'), actor: setting.actor, onProgress: ({ images, people }) => bar.note(`${images} imagens de ${people} pessoas`),
      })
      bar.end()
      return { text: `${result.images} imagens de ${result.people} pessoas em ${target}`, json: result }
    },
  }
}

function verifyCommand({ integrity, setting }: ImageTools): Command {
  return {
    words: 'imagens verificar',
    summary: 'Confere se imagens, proveniência e modelos são os que foram guardados',
    notes: 'Código de saída 1 se algo foi mudado. Mostra ids, nunca nomes ou CPF. O registro de auditoria se confere com "auditoria verificar".',
    flags: { fundo: { type: 'boolean', about: 'abre também cada imagem (demora)' } },
    run: async ({ is }) => {
      const bar = createProgressBar(setting.progress)
      const report = await (await integrity()).all({ deep: is('fundo'), onProgress: (people) => bar.note(`${people} pessoas`) })
      bar.end()
      const { people, images, legacy, unsound, contradictions } = report
      const lines = [
        ...unsound.map(({ personId, faults }) => `  pessoa ${personId}: ${faults.map(({ code, imageId }) => (imageId ? `${code} (${imageId})` : code)).join(', ')}\n`),
        ...contradictions.map(({ personId, imageId, says }) => `  pessoa ${personId}: a auditoria diz ${says} da imagem ${imageId}\n`),
      ]
      const isBad = lines.length > 0
      const head = `${people} pessoas, ${images} imagens: ${isBad ? 'há o que não foi guardado por nós' : 'tudo como foi guardado'}.`
      const old = legacy > 0 ? `\n${legacy} pessoas têm imagens de antes dos selos; o servidor as sela de novo ao subir.` : ''
      return { text: `${head}${old}\n${lines.join('')}`, json: report, ...(isBad && { exitCode: 1 }) }
    },
  }
}

function mendCommand({ custody, setting }: ImageTools): Command {
  return {
    words: 'imagens sanear',
    summary: 'Apaga de uma pessoa as imagens que foram mudadas; as demais voltam a servir',
    notes: 'Depois de investigar o que "imagens verificar" mostrou. Não tem volta.',
    positionals: ['PESSOA'],
    flags: { imagem: { type: 'string', value: 'ID', about: 'apaga também esta', multiple: true } },
    run: async ({ positionals, texts }) => {
      const dropped = await (await custody()).mend(personIdFrom(positionals[0]), texts('imagem'), setting.actor)
      return { text: `${dropped} imagens apagadas.`, json: { dropped } }
    },
  }
}

function personIdFrom(text = ''): string {
  if (!isUuid(text)) throw new UsageError('PESSOA é o id que "imagens verificar" ou "imagens a-conferir" mostra.')
  return text
}

function remakeCommand({ jobs, setting }: ImageTools): Command {
  return {
    words: 'imagens refazer-modelos',
    summary: 'Faz, das imagens guardadas, os modelos de rosto que faltam à rede em uso',
    notes: 'O servidor também faz isso, devagar, por trás. Interrompido, continua de onde parou.',
    run: async () => {
      const bar = createProgressBar(setting.progress)
      const work = await jobs()
      const total = await work.missing()
      const done = await work.remake({ onProgress: ({ made, refused }) => bar.show(made + refused, total, `${refused} recusadas`) })
      bar.end()
      return { text: `${done.made} modelos feitos, ${done.refused} imagens em que a rede não os pôde fazer.`, json: done }
    },
  }
}

function custodyCommands({ custody, transfer, setting }: ImageTools): Command[] {
  const personOf = async (cpf: string | undefined) => (await transfer()).getPerson(cpfFrom(cpf))
  return [
    {
      words: 'imagens reter',
      summary: 'Guarda legal: nada da pessoa é apagado enquanto ela durar',
      flags: { ...CPF, motivo: { type: 'string', about: 'ordem ou processo', required: true }, ate: { type: 'string', value: 'AAAA-MM-DD', about: 'último dia; sem ela, até ser liberada' } },
      run: async ({ text }) => {
        const hold = await (await custody()).hold(await personOf(text('cpf')), { reason: text('motivo') ?? '', until: dateFrom(text('ate')) }, setting.actor)
        return { text: `Guarda ${hold.id} em vigor.`, json: { holdId: hold.id } }
      },
    },
    {
      words: 'imagens liberar',
      summary: 'Encerra a guarda legal de uma pessoa',
      flags: CPF,
      run: async ({ text }) => {
        const released = await (await custody()).release(await personOf(text('cpf')), setting.actor)
        return { text: `${released} guardas encerradas.`, json: { released } }
      },
    },
    {
      words: 'imagens apagar',
      summary: 'Apaga todas as imagens de uma pessoa (LGPD), destruindo a chave delas',
      notes: 'Não tem volta. Uma guarda legal impede. Cópias de segurança feitas antes ainda as contêm, até vencerem.',
      flags: { ...CPF, sim: { type: 'boolean', about: 'confirma', required: true } },
      run: async ({ text }) => {
        await (await custody()).erase(await personOf(text('cpf')), setting.actor)
        return { text: 'Imagens apagadas.', json: { erased: true } }
      },
    },
  ]
}

const RULE = {
  tipo: { type: 'string', value: 'TIPO', about: 'face, document-front, document-back, signature, fingerprint, other ou *', required: true },
  fonte: { type: 'string', value: 'ORIGEM', about: 'origem, ou *', required: true },
  conta: { type: 'string', value: 'DESDE', about: 'guardada, retirada, sem-uso ou morte', required: true },
} as const
const KINDS = ['*', 'face', 'document-front', 'document-back', 'signature', 'fingerprint', 'other'] as const
const COUNTS = { guardada: 'stored', retirada: 'withdrawn', 'sem-uso': 'unused', morte: 'death' } as const
const ENDINGS = { apagar: 'erased', conferir: 'reviewed' } as const

function ruleFrom(text: (flag: string) => string | undefined) {
  const kind = KINDS.find((name) => name === text('tipo'))
  const since = keyOf(COUNTS, text('conta'))
  if (kind === undefined || since === undefined) throw new UsageError('--tipo ou --conta não é um dos valores.')
  return { kind, source: text('fonte') ?? '*', counts: COUNTS[since] }
}

const keyOf = <Key extends string>(names: Readonly<Record<Key, string>>, word: string | undefined): Key | undefined => (Object.keys(names) as Key[]).find((name) => name === word)
const wordOf = (names: Readonly<Record<string, string>>, value: string): string => Object.keys(names).find((name) => names[name] === value) ?? value

/** What a rule ends in; images that stand go only where the operator says so. */
function endingFrom(word: string | undefined, counts: RetentionRule['counts']): RetentionRule['ending'] {
  const said = keyOf(ENDINGS, word ?? (counts === 'unused' || counts === 'death' ? 'conferir' : 'apagar'))
  if (said === undefined) throw new UsageError('--ao-fim é apagar ou conferir.')
  return ENDINGS[said]
}

function retentionCommands({ custody, setting }: ImageTools): Command[] {
  return [
    {
      words: 'imagens prazos',
      summary: 'Lista os prazos de guarda; vale o mais específico',
      run: async (): Promise<Outcome> => {
        const rules = await (await custody()).retention()
        const rows = rules.map((rule) => [rule.kind, rule.source, wordOf(COUNTS, rule.counts), String(rule.days), wordOf(ENDINGS, rule.ending), rule.reason])
        return tableOutcome(['tipo', 'origem', 'desde', 'dias', 'ao fim', 'motivo'], rows, rules, 'Sem prazos: nada é apagado por tempo.')
      },
    },
    {
      words: 'imagens prazo',
      summary: 'Define um prazo de guarda; sem --dias, tira-o',
      flags: { ...RULE, dias: { type: 'string', value: 'N', about: 'de 1 a 36500' }, 'ao-fim': { type: 'string', value: 'apagar|conferir', about: 'o que acontece; sem ela, sem-uso e morte são para conferir' }, motivo: { type: 'string', about: 'norma ou decisão' } },
      run: async ({ text }) => {
        const rule = ruleFrom(text)
        const [days, reason] = [text('dias'), text('motivo')]
        if (days === undefined) return { text: 'Prazo retirado.', json: { dropped: await (await custody()).dropRetention(rule, setting.actor) } }
        if (!/^\d{1,5}$/.test(days) || Number(days) < 1 || Number(days) > 36_500 || !reason) throw new UsageError('Um prazo precisa de --dias (1 a 36500) e --motivo.')
        await (await custody()).setRetention({ ...rule, days: Number(days), ending: endingFrom(text('ao-fim'), rule.counts), reason }, setting.actor)
        return { text: 'Prazo definido.', json: { ...rule, days: Number(days) } }
      },
    },
    {
      words: 'imagens a-conferir',
      summary: 'Lista de quem há imagens sem uso, ou de antes da morte, que alguém tem de conferir',
      notes: 'Nada disso some sozinho: "imagens conferir PESSOA --manter" ou "--apagar" diz o que fazer. Mostra ids, nunca nomes ou CPF.',
      flags: { limite: { type: 'string', value: 'N', about: 'quantas pessoas mostrar; sem ela, 50' } },
      run: async ({ text }) => {
        const limit = Number(text('limite') ?? 50)
        if (!Number.isInteger(limit) || limit < 1 || limit > 10_000) throw new UsageError('--limite vai de 1 a 10000.')
        const found = await (await custody()).toReview(limit)
        const rows = found.first.map(({ personId, images, oldest }) => [personId, String(images), oldest.toISOString().slice(0, 10)])
        return tableOutcome([`pessoa (${found.people} ao todo)`, 'imagens', 'a mais antiga'], rows, found, 'Nada a conferir.')
      },
    },
    {
      words: 'imagens conferir',
      summary: 'Diz se as imagens a conferir de uma pessoa ficam, e o prazo recomeça, ou somem',
      notes: 'A pessoa vê no seu histórico que alguém conferiu. Uma ordem de guarda é outra coisa: "imagens reter".',
      positionals: ['PESSOA'],
      flags: { manter: { type: 'boolean', about: 'ainda se precisa delas' }, apagar: { type: 'boolean', about: 'não se precisa mais; não tem volta' } },
      run: async ({ positionals, is }) => {
        if (is('manter') === is('apagar')) throw new UsageError('Diga --manter ou --apagar, um deles.')
        const images = await (await custody()).review(personIdFrom(positionals[0]), is('apagar') ? 'erased' : 'kept', setting.actor)
        return { text: images === 0 ? 'Nada desta pessoa há a conferir.' : `${images} imagens ${is('apagar') ? 'apagadas' : 'mantidas'}.`, json: { images } }
      },
    },
    {
      words: 'imagens aplicar-prazos',
      summary: 'Apaga o que passou do prazo; o servidor também o faz, de madrugada',
      flags: { simular: { type: 'boolean', about: 'só conta' } },
      run: async ({ is }) => {
        const done = await (await custody()).applyRetention({ dryRun: is('simular') })
        return { text: `${done.images} imagens de ${done.people} pessoas${is('simular') ? ' passaram do prazo' : ' apagadas'}; ${done.unsound} pessoas deixadas de lado por estarem alteradas.`, json: done }
      },
    },
  ]
}
