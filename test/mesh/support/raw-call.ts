import { once } from 'node:events';
import { connect, constants, type IncomingHttpHeaders } from 'node:http2';

/** One gRPC call made by hand on HTTP/2: for headers and bytes that no client would send. Returns what the server said of it. */
export async function rawCall(port: number, path: string, headers: Record<string, string>, body: Uint8Array): Promise<IncomingHttpHeaders> {
  const session = connect(`http://127.0.0.1:${port}`);
  const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers', ...headers });
  const said: IncomingHttpHeaders = {};
  stream.on('response', (sent) => Object.assign(said, sent));
  stream.on('trailers', (sent: IncomingHttpHeaders) => Object.assign(said, sent));
  stream.end(body);
  stream.resume();
  await once(stream, 'close');
  if (stream.rstCode !== constants.NGHTTP2_NO_ERROR) said['rst-code'] = String(stream.rstCode);
  session.close();
  await once(session, 'close');
  return said;
}

/** A message as it stands on the wire: one byte for compression, four for the length, the bytes. */
export function framed(message: Uint8Array): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(message.length, 1);
  return Buffer.concat([header, message]);
}
