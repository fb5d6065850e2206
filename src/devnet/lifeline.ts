/**
 * What the devnet and its nodes tell each other over the channel that also is the lifeline: when the devnet is gone,
 * however it went, the channel closes and the node stops.
 */
export type FromNode =
  | { readonly kind: 'ready'; readonly node: string }
  /** It cannot start, or had to stop: a sentence for people. */
  | { readonly kind: 'failed'; readonly reason: string };

export type FromDevnet =
  /** The network's directory is to go with its last node, should the devnet be killed. */
  { readonly kind: 'temporary'; readonly directory: string };

function field(message: unknown, name: string): unknown {
  return typeof message === 'object' && message !== null ? Reflect.get(message, name) : undefined;
}

export function parseFromNode(message: unknown): FromNode | undefined {
  const node = field(message, 'node');
  const reason = field(message, 'reason');
  switch (field(message, 'kind')) {
    case 'ready':
      return typeof node === 'string' ? { kind: 'ready', node } : undefined;
    case 'failed':
      return typeof reason === 'string' ? { kind: 'failed', reason } : undefined;
    default:
      return undefined;
  }
}

export function parseFromDevnet(message: unknown): FromDevnet | undefined {
  const directory = field(message, 'directory');
  const isTemporary = field(message, 'kind') === 'temporary' && typeof directory === 'string';
  return isTemporary ? { kind: 'temporary', directory } : undefined;
}
