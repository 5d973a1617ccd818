import { type ClientHttp2Session, type ClientHttp2Stream, connect, type OutgoingHttpHeaders, type Settings } from 'node:http2';

/** A caller that makes calls by hand on a connection of its own. */
export interface Http2Caller {
  readonly session: ClientHttp2Session;
  /** Sends the headers of a call, and nothing else. */
  begin(path: string, headers?: OutgoingHttpHeaders): ClientHttp2Stream;
  /** Why the server closed the connection; undefined while it has not. */
  goaway(): number | undefined;
}

/** Callers of a test, all gone at its end. */
export function useHttp2Callers(port: () => number): (settings?: Settings) => Http2Caller {
  const sessions: ClientHttp2Session[] = [];
  afterEach(() => {
    for (const session of sessions.splice(0)) session.destroy();
  });
  return (settings = {}) => {
    const session = connect(`http://127.0.0.1:${port()}`, { settings });
    sessions.push(session);
    let goaway: number | undefined;
    session.on('goaway', (code) => (goaway = code));
    // It is cut off, which is the point.
    session.on('error', () => {});
    return {
      session,
      begin(path, headers = {}) {
        const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers', ...headers });
        stream.on('error', () => {});
        return stream;
      },
      goaway: () => goaway,
    };
  };
}
