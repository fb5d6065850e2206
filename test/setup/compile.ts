import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from '../../scripts/suites.mjs';

/** Suites that start the compiled program must never meet an old one, however they were started. */
export function setup(): void {
  execFileSync(process.execPath, [join(ROOT, 'scripts', 'bootstrap.mjs'), '--quiet'], { stdio: 'inherit' });
}
