// Set-up for `npm start`, `npm test` and the commands: dependencies and dist/, each only when something changed.
// Written so that an old Node can still read it far enough to print the sentence below.

/**
 * What the tools of the tests run on; the program itself needs 20.19.
 * @param {string} version
 */
function isSupported(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major === 20) return minor >= 19;
  if (major === 22) return minor >= 12;
  return major >= 24;
}

if (!isSupported(process.versions.node)) {
  process.stderr.write(
    `Counterfoil needs Node 20.19 or newer (of 22: 22.12 or newer; 24 and newer are fine), this is Node ${process.versions.node}. Please install a newer one from https://nodejs.org and try again.\n`,
  );
  process.exit(1);
}

import('./set-up.mjs')
  .then((setUp) => setUp.main(process.argv.slice(2)))
  .catch((error) => {
    process.stderr.write(`\n${error.stack}\n`);
    process.exit(1);
  });
