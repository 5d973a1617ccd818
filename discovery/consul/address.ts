import { refusal } from '#kit';

/** Where Consul's HTTP API is. */
export interface ConsulAddress {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  /** As it is shown to people: no user, no password, no path. */
  readonly url: string;
}

/**
 * Reads `http://host:port`, `https://host:port` or `host:port`, the forms of
 * CONSUL_HTTP_ADDR. Without a port it is the scheme's, as in Consul's own client.
 */
export function parseConsulAddress(text: string): ConsulAddress {
  const url = parseUrl(/^[a-z]+:\/\//i.test(text) ? text : `http://${text}`);
  if (!url || !isPlain(url)) {
    throw refusal(
      'INVALID_SETTING',
      'CONSUL_HTTP_ADDR is not an address of Consul; write it like http://127.0.0.1:8500 or https://consul.example:8501',
    );
  }
  const secure = url.protocol === 'https:';
  const port = url.port === '' ? (secure ? 443 : 80) : Number(url.port);
  // A URL keeps the brackets of an IPv6 address, a socket does not take them.
  return { host: url.hostname.replaceAll(/[[\]]/g, ''), port, secure, url: `${url.protocol}//${url.hostname}:${port}` };
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

function isPlain(url: URL): boolean {
  const { protocol, hostname, username, pathname, search } = url;
  return /^https?:$/.test(protocol) && hostname !== '' && username === '' && pathname === '/' && search === '';
}
