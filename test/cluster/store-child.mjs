// A process to be killed: writes without end and says on standard output what was acknowledged.
import process from 'node:process';

const [mode = '', directory = '', publicKeyHex = ''] = process.argv.slice(2);
const publicKey = Buffer.from(publicKeyHex, 'hex');

/** @type {typeof import('../../src/store/lmdb.ts')} */
const { openLmdb } = await load('lmdb');
/** @type {typeof import('../../src/store/lock.ts')} */
const { lockDataDir } = await load('lock');
/** @type {typeof import('../../src/store/node-disk.ts')} */
const { openNodeDisk } = await load('node-disk');
/** @type {typeof import('../../src/store/open-journal.ts')} */
const { createJournal, openJournal } = await load('open-journal');

/** @param {string} name of a compiled module */
function load(name) {
  return import(new URL(`../../dist/store/${name}.js`, import.meta.url).href);
}

/** @param {string} line */
function say(line) {
  process.stdout.write(`${line}\n`);
}

/**
 * Payload number `count`: the number and as many bytes as it says, so that a reader can check it.
 * @param {number} count
 */
function payload(count) {
  const bytes = Buffer.alloc(4 + ((count * 7919) % 9000), count % 251);
  bytes.writeUInt32BE(count);
  return bytes;
}

function writeJournal() {
  const disk = openNodeDisk(directory);
  /** @param {Error} error */
  const onFatal = (error) => {
    const { cause } = error;
    say(`fatal ${cause instanceof Error && 'code' in cause ? cause.code : error.message}`);
    process.exit(3);
  };
  createJournal({ disk, publicKey, incarnation: Buffer.alloc(16, 5) }, () => {
    openJournal({ disk, publicKey, chainId: Buffer.alloc(32, 4), onFatal, segmentBytesMax: 200_000 }, (opened) => {
      if (!opened.ok) throw new Error(JSON.stringify(opened.error));
      const { journal, records } = opened.value;
      let count = 0;
      for (const record of records) count = Buffer.from(record).readUInt32BE();
      const next = () => {
        count += 1;
        const own = count;
        const acknowledge = () => {
          say(`durable ${own}`);
          next();
        };
        if (own % 97 === 0) journal.truncate(payload(own), acknowledge);
        else journal.append([payload(own)], acknowledge);
      };
      for (let index = 0; index < 8; index += 1) next();
    });
  });
}

function writeLmdb() {
  const store = openLmdb(directory, [1, 2]);
  let count = 0;
  for (const { value } of store.range(1, { limit: 1 })) count = Buffer.from(value).readUInt32BE();
  /** @param {import('../../src/store/key-value.ts').StoreError} error */
  const failed = (error) => {
    say(`failed ${error.code}`);
    store.write([{ table: 1, key: Buffer.from('x'), value: Buffer.from('x') }], {
      failed: (again) => {
        say(`refused ${again.code}`);
        store.close((closed) => {
          say(`closed ${closed.ok}`);
          process.exit(3);
        });
      },
    });
  };
  const next = () => {
    count += 1;
    const own = count;
    const batch = [];
    for (let index = 0; index < 40; index += 1) {
      batch.push({ table: 1 + (index % 2), key: Buffer.from(`key ${index}`), value: payload(own) });
    }
    batch.push({ table: 2, key: Buffer.from(`growing ${own}`), value: payload(own) });
    store.write(batch, {
      durable: () => {
        say(`durable ${own}`);
        next();
      },
      failed,
    });
  };
  next();
}

function holdLock() {
  const taken = lockDataDir(directory);
  say(taken.ok ? 'held' : `${taken.error.code} ${taken.error.pid}`);
  process.stdin.resume();
  process.stdin.on('end', () => {
    if (taken.ok) taken.value.release();
    process.exit(0);
  });
}

const MODES = new Map([
  ['journal', writeJournal],
  ['lmdb', writeLmdb],
  ['lock', holdLock],
]);
MODES.get(mode)?.();
