import type { ReadStream } from 'node:tty'

/** Asks for one secret after the other; on a terminal nothing of what is typed is shown. Elsewhere each is a line of the input. */
export function createSecretPrompt(input: NodeJS.ReadableStream & Partial<Pick<ReadStream, 'isTTY' | 'setRawMode'>>, output: NodeJS.WritableStream): (question: string) => Promise<string> {
  let waiting = ''
  return async (question) => {
    output.write(question)
    input.setRawMode?.(true)
    try {
      while (!/[\r\n]/.test(waiting)) {
        const more = await nextOf(input)
        if (more === undefined || more.includes('\u0003')) throw new Error('interrupted')
        waiting = input.isTTY ? erased(waiting + more) : waiting + more
      }
    } finally {
      input.setRawMode?.(false)
      output.write('\n')
    }
    const [line = ''] = waiting.split(/\r\n|\r|\n/, 1)
    waiting = waiting.slice(line.length).replace(/^(\r\n|\r|\n)/, '')
    return line
  }
}

/** In raw mode the backspace is a character like any other. */
function erased(typed: string): string {
  return typed.replaceAll(/[^\u007f\b]?[\u007f\b]/g, '')
}

function nextOf(input: NodeJS.ReadableStream): Promise<string | undefined> {
  return new Promise((resolve) => {
    const done = (chunk?: Buffer | string) => {
      input.pause()
      input.off('data', done).off('end', ended)
      resolve(chunk?.toString())
    }
    const ended = () => done()
    input.once('data', done).once('end', ended).resume()
  })
}
