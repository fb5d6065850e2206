// A process to be killed: indexes the blocks of a file and says on standard output what is durable.
import { readFileSync } from 'node:fs';
import process from 'node:process';

const [directory = '', file = '', source = ''] = process.argv.slice(2);
/** @type {typeof import('../../src/store/graph-directory.ts')} */
const { openGraph } = await import(new URL('../../dist/store/graph-directory.js', import.meta.url).href);

/** @type {{ iriBase: string, blocks: import('../../src/store/quads.ts').BlockGraphs[] }} */
const { iriBase, blocks } = JSON.parse(readFileSync(file, 'utf8'));
const { index, dropped } = await openGraph(directory, { source, iriBase });
process.stdout.write(`opened ${JSON.stringify(dropped)}\n`);
for (let at = index.extent.heights?.to ?? 0; at < blocks.length; ) {
  // Batches of one to five blocks, of other sizes each time.
  const end = at + 1 + ((process.pid + at) % 5);
  await index.add(blocks.slice(at, end));
  at = end;
  process.stdout.write(`indexed ${index.extent.heights?.to}\n`);
}
process.stdout.write('done\n');
