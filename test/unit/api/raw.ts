import { connect, type Socket } from 'node:net';

/** What came back on a raw connection, until the other side closed it. */
export interface RawAnswer {
  readonly status: number;
  readonly text: string;
}

/** A plain connection, for what no HTTP client would send. */
export async function openSocket(port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port });
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  socket.on('error', () => undefined);
  return socket;
}

/** Everything that a socket still says before it closes. */
export async function restOf(socket: Socket): Promise<RawAnswer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await new Promise((resolve) => socket.once('close', resolve));
  const text = Buffer.concat(chunks).toString('latin1');
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0), text };
}

/** Sends text or bytes as they are, and reads until the server closes. */
export async function sendRaw(port: number, data: string | Uint8Array): Promise<RawAnswer> {
  const socket = await openSocket(port);
  const answer = restOf(socket);
  socket.write(data);
  return await answer;
}
