/** `1 block`, `2 blocks`; a plural that is no mere s is given. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
