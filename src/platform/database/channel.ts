/** The channel's name, once it is sure that it needs no quoting. */
export function checkedChannel(channel: string): string {
  if (!/^[a-z_]{1,63}$/.test(channel)) throw new Error('a channel is named by lower-case letters and _')
  return channel
}
