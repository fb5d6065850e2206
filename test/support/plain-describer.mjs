// Says little of a block, in canonical lines: what tests index that are not about what is said.

const BASE = 'http://localhost/id/';

/**
 * @param {import('../../src/store/blocks.ts').StoredBlock} block
 * @returns {string[]}
 */
export function describePlainly({ header, hash, body }) {
  const block = `<${BASE}block/${header.height}>`;
  const lines = [
    `${block} <urn:contains> <${BASE}block/${header.height - 1}> ${block} .\n`,
    `${block} <urn:hash> "${hash}" ${block} .\n`,
  ];
  const documents = body.map(({ id, body: { operation } }) => {
    const transaction = `<${BASE}tx/${id}>`;
    return `${transaction} <urn:kind> "${operation.kind}" ${transaction} .\n`;
  });
  return [...documents, lines.join('')];
}
