import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The path of a module beside another, compiled if that one is. @param moduleUrl `import.meta.url` */
export function siblingFile(moduleUrl: string, name: string): string {
  return fileURLToPath(new URL(`./${name}${extname(moduleUrl)}`, moduleUrl));
}
