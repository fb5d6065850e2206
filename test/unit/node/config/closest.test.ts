import { describe, expect, it } from 'vitest';
import { closest, didYouMean } from '../../../../src/node/config/closest.ts';

const KEYS = ['listen_port', 'max_peers', 'fanout', 'ttl'];

describe('the nearest word', () => {
  it.each([
    ['listen_prot', 'listen_port'],
    ['listenport', 'listen_port'],
    ['LISTEN_PORT', 'listen_port'],
    ['max_peer', 'max_peers'],
    ['tll', 'ttl'],
  ])('of %s is %s', (word, meant) => {
    expect(closest(word, KEYS)).toBe(meant);
  });

  it('is none when everything is far away', () => {
    expect(closest('colour', KEYS)).toBeUndefined();
    expect(didYouMean('colour', KEYS)).toBe('');
  });

  it('ends a sentence', () => {
    expect(didYouMean('fanuot', KEYS)).toBe(' Did you mean "fanout"?');
  });
});
