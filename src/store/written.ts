import type { KeyValue, KeyValueChange } from './key-value.ts';

/**
 * One write, when it is durable.
 *
 * @throws StoreError
 */
export function written(store: KeyValue, batch: readonly KeyValueChange[]): Promise<void> {
  return new Promise((resolve, reject) => store.write(batch, { durable: resolve, failed: reject }));
}
