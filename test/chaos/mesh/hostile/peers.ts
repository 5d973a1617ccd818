import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2, type OutgoingHttpHeaders } from 'node:http2';
import { connect, type Socket } from 'node:net';

/** A method of the service under attack that takes one message. */
export const READ = '/test.load.v1.LoadService/Read';

/** How long a server may take to close a connection before its peer gives up on it. */
const PATIENCE_MS = 200;

/** A connection that has said nothing yet. */
export async function openSocket(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  // Being cut off is part of it, here as below.
  socket.on('error', () => {});
  await Promise.race([once(socket, 'connect'), once(socket, 'close')]).catch(() => {});
  return socket;
}

/** Sends bytes on a connection of their own, and waits for what the server does about it, for a moment. */
export async function sendAlone(port: number, bytes: Uint8Array): Promise<void> {
  const socket = await openSocket(port);
  socket.resume();
  if (socket.destroyed) return;
  const closed = new Promise((resolve) => socket.once('close', resolve));
  const timer = setTimeout(() => socket.destroy(), PATIENCE_MS);
  socket.end(bytes);
  await closed;
  clearTimeout(timer);
}

export async function openSession(port: number): Promise<ClientHttp2Session> {
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  session.on('error', () => {});
  await Promise.race([once(session, 'remoteSettings'), once(session, 'close')]).catch(() => {});
  return session;
}

/** Until the server has taken all that was sent so far, or is not there any more. */
export function answeredPing(session: ClientHttp2Session): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      session.off('close', done);
      resolve();
    };
    session.on('close', done);
    if (session.destroyed || !session.ping(done)) done();
  });
}

/** Sends the headers of a call and nothing else; undefined when the connection has gone. */
export function begin(session: ClientHttp2Session, headers: OutgoingHttpHeaders = {}): ClientHttp2Stream | undefined {
  if (session.closed || session.destroyed) return undefined;
  const stream = session.request({ ':method': 'POST', ':path': READ, 'content-type': 'application/grpc', te: 'trailers', ...headers });
  stream.on('error', () => {});
  stream.resume();
  return stream;
}

/** A whole call; resolves when it is over, whatever became of it. */
export async function call(session: ClientHttp2Session, body: Uint8Array, headers: OutgoingHttpHeaders = {}): Promise<void> {
  const stream = begin(session, headers);
  if (!stream) return;
  const closed = new Promise((resolve) => stream.once('close', resolve));
  stream.end(body);
  await closed;
}

/** A session that is opened anew whenever the server has closed it. */
export function lastingSession(port: number): () => Promise<ClientHttp2Session> {
  let opening: Promise<ClientHttp2Session> | undefined;
  let session: ClientHttp2Session | undefined;
  return async () => {
    if (session && !session.closed && !session.destroyed) return session;
    opening ??= openSession(port);
    session = await opening;
    opening = undefined;
    return session;
  };
}
